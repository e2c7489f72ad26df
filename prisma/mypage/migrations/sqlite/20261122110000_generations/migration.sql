-- What is there becomes the first generation, and the live one: the numbers 1 below are written by
-- hand, as is the last statement.

-- CreateTable
CREATE TABLE "view_generation" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "state" TEXT NOT NULL,
    "slot" TEXT,
    "events_read" INTEGER NOT NULL DEFAULT 0,
    "events_total" INTEGER NOT NULL DEFAULT 0,
    "views_compared" INTEGER NOT NULL DEFAULT 0,
    "differences" INTEGER NOT NULL DEFAULT 0,
    "differing_booking_ids" TEXT NOT NULL DEFAULT '',
    "message" TEXT NOT NULL DEFAULT '',
    "started_at" DATETIME NOT NULL,
    "heartbeat_at" DATETIME NOT NULL,
    "finished_at" DATETIME,
    "retired_at" DATETIME,
    "cleared_at" DATETIME
);

-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_booking_status_view" (
    "generation" INTEGER NOT NULL,
    "booking_id" TEXT NOT NULL,
    "customer_id" TEXT,
    "status" TEXT,
    "space_name" TEXT,
    "start_at" DATETIME,
    "end_at" DATETIME,
    "price_amount" INTEGER,
    "currency" TEXT,
    "payment_status" TEXT,
    "refunded" INTEGER NOT NULL DEFAULT 0,
    "registration_status" TEXT,
    "booking_version" INTEGER NOT NULL DEFAULT 0,
    "payment_version" INTEGER NOT NULL DEFAULT 0,
    "registration_version" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL,
    "updated_at" DATETIME NOT NULL,

    PRIMARY KEY ("generation", "booking_id")
);
INSERT INTO "new_booking_status_view" ("generation", "booking_id", "booking_version", "currency", "customer_id", "end_at", "payment_status", "payment_version", "price_amount", "refunded", "registration_status", "registration_version", "space_name", "start_at", "status", "updated_at", "version") SELECT 1, "booking_id", "booking_version", "currency", "customer_id", "end_at", "payment_status", "payment_version", "price_amount", "refunded", "registration_status", "registration_version", "space_name", "start_at", "status", "updated_at", "version" FROM "booking_status_view";
DROP TABLE "booking_status_view";
ALTER TABLE "new_booking_status_view" RENAME TO "booking_status_view";
CREATE INDEX "booking_status_view_of_customer" ON "booking_status_view"("generation", "customer_id", "start_at", "booking_id");
CREATE TABLE "new_inbox" (
    "generation" INTEGER NOT NULL,
    "event_id" TEXT NOT NULL,
    "received_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "parked" BOOLEAN NOT NULL DEFAULT false,

    PRIMARY KEY ("generation", "event_id")
);
INSERT INTO "new_inbox" ("generation", "event_id", "received_at") SELECT 1, "event_id", "received_at" FROM "inbox";
DROP TABLE "inbox";
ALTER TABLE "new_inbox" RENAME TO "inbox";
CREATE TABLE "new_status_change" (
    "generation" INTEGER NOT NULL,
    "booking_id" TEXT NOT NULL,
    "booking_version" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "at" DATETIME NOT NULL,

    PRIMARY KEY ("generation", "booking_id", "booking_version")
);
INSERT INTO "new_status_change" ("generation", "at", "booking_id", "booking_version", "status") SELECT 1, "at", "booking_id", "booking_version", "status" FROM "status_change";
DROP TABLE "status_change";
ALTER TABLE "new_status_change" RENAME TO "status_change";
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;

-- CreateIndex
CREATE UNIQUE INDEX "view_generation_slot_key" ON "view_generation"("slot");

INSERT INTO "view_generation" ("id", "state", "slot", "started_at", "heartbeat_at", "finished_at")
SELECT 1, 'LIVE', 'LIVE', "now", "now", "now"
  FROM (SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now') AS "now");
