-- CreateTable
CREATE TABLE "dead_letter" (
    "event_id" TEXT NOT NULL PRIMARY KEY,
    "state" TEXT NOT NULL,
    "event" JSONB NOT NULL,
    "failures" INTEGER NOT NULL,
    "error" TEXT NOT NULL,
    "first_failed_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_failed_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "settled_at" DATETIME,
    "settled_by" TEXT,
    "reason" TEXT
);

-- CreateIndex
CREATE INDEX "dead_letter_state_event_id_idx" ON "dead_letter"("state", "event_id");
