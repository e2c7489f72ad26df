-- CreateEnum
CREATE TYPE "dead_letter_state" AS ENUM ('FAILING', 'PARKED', 'REPLAYING', 'REPLAYED', 'DISCARDED');

-- CreateTable
CREATE TABLE "dead_letter" (
    "event_id" UUID NOT NULL,
    "state" "dead_letter_state" NOT NULL,
    "event" JSONB NOT NULL,
    "failures" INTEGER NOT NULL,
    "error" TEXT NOT NULL,
    "first_failed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_failed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "settled_at" TIMESTAMPTZ(3),
    "settled_by" TEXT,
    "reason" TEXT,

    CONSTRAINT "dead_letter_pkey" PRIMARY KEY ("event_id")
);

-- CreateIndex
CREATE INDEX "dead_letter_state_event_id_idx" ON "dead_letter"("state", "event_id");
