-- btree_gist lets one exclusion constraint compare an id by equality and a range by overlap.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- CreateEnum
CREATE TYPE "registration_status" AS ENUM ('REGISTERED', 'CANCELLED', 'REJECTED');

-- CreateEnum
CREATE TYPE "currency" AS ENUM ('KRW', 'USD', 'EUR', 'JPY');

-- CreateTable
CREATE TABLE "space" (
    "id" UUID NOT NULL,
    "host_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "capacity" INTEGER NOT NULL,
    "hourly_rate" INTEGER NOT NULL,
    "currency" "currency" NOT NULL,
    "opening_hours" JSONB NOT NULL,
    "refund_tiers" JSONB NOT NULL,
    "version" INTEGER NOT NULL,
    "listed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "space_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "registration" (
    "id" UUID NOT NULL,
    "booking_id" UUID NOT NULL,
    "payment_id" UUID,
    "space_id" UUID NOT NULL,
    "start_at" TIMESTAMPTZ(3) NOT NULL,
    "end_at" TIMESTAMPTZ(3) NOT NULL,
    "status" "registration_status" NOT NULL,
    "reject_reason" TEXT,
    "version" INTEGER NOT NULL,
    "registered_at" TIMESTAMPTZ(3),
    "cancelled_at" TIMESTAMPTZ(3),

    CONSTRAINT "registration_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "occupied_slot" (
    "booking_id" UUID NOT NULL,
    "space_id" UUID NOT NULL,
    "start_at" TIMESTAMPTZ(3) NOT NULL,
    "end_at" TIMESTAMPTZ(3) NOT NULL,
    "live" BOOLEAN NOT NULL,
    "version" INTEGER NOT NULL,

    CONSTRAINT "occupied_slot_pkey" PRIMARY KEY ("booking_id")
);

-- CreateTable
CREATE TABLE "outbox" (
    "id" UUID NOT NULL,
    "aggregate_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "topic" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "correlation_id" TEXT NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "awaiting" TEXT[],
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "inbox" (
    "event_id" UUID NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "inbox_pkey" PRIMARY KEY ("event_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "registration_booking_id_key" ON "registration"("booking_id");

-- CreateIndex
CREATE UNIQUE INDEX "registration_payment_id_key" ON "registration"("payment_id");

-- CreateIndex
CREATE INDEX "occupied_slot_space_id_start_at_idx" ON "occupied_slot"("space_id", "start_at");

-- CreateIndex
CREATE UNIQUE INDEX "outbox_aggregate_id_version_key" ON "outbox"("aggregate_id", "version");

-- Whatever book may have sold: a space is used by one at a time.
ALTER TABLE "registration" ADD CONSTRAINT "registration_no_overlap"
    EXCLUDE USING gist ("space_id" WITH =, tstzrange("start_at", "end_at", '[)') WITH &&)
    WHERE ("status" = 'REGISTERED');

-- For the relay: only what somebody still has to acknowledge.
CREATE INDEX "outbox_awaited" ON "outbox" ("next_attempt_at") WHERE "awaiting" <> '{}';
