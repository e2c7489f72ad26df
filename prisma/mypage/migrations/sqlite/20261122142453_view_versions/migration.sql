-- CreateTable
CREATE TABLE "view_version" (
    "generation" INTEGER NOT NULL,
    "booking_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
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
    "updated_at" DATETIME NOT NULL,
    "projected_at" DATETIME NOT NULL,

    PRIMARY KEY ("generation", "booking_id", "version")
);

-- CreateIndex
CREATE INDEX "view_version_by_age" ON "view_version"("projected_at");
