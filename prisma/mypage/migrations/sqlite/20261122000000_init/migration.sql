-- CreateTable
CREATE TABLE "booking_status_view" (
    "booking_id" TEXT NOT NULL PRIMARY KEY,
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
    "updated_at" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "status_change" (
    "booking_id" TEXT NOT NULL,
    "booking_version" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "at" DATETIME NOT NULL,

    PRIMARY KEY ("booking_id", "booking_version")
);

-- CreateTable
CREATE TABLE "inbox" (
    "event_id" TEXT NOT NULL PRIMARY KEY,
    "received_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- CreateIndex
CREATE INDEX "booking_status_view_customer_id_start_at_booking_id_idx" ON "booking_status_view"("customer_id", "start_at", "booking_id");
