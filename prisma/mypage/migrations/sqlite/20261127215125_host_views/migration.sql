-- AlterTable
ALTER TABLE "booking_status_view" ADD COLUMN "charged_amount" INTEGER;
ALTER TABLE "booking_status_view" ADD COLUMN "decide_before" DATETIME;
ALTER TABLE "booking_status_view" ADD COLUMN "headcount" INTEGER;
ALTER TABLE "booking_status_view" ADD COLUMN "host_id" TEXT;
ALTER TABLE "booking_status_view" ADD COLUMN "note" TEXT;
ALTER TABLE "booking_status_view" ADD COLUMN "requested_at" DATETIME;
ALTER TABLE "booking_status_view" ADD COLUMN "space_id" TEXT;

-- AlterTable
ALTER TABLE "view_version" ADD COLUMN "charged_amount" INTEGER;
ALTER TABLE "view_version" ADD COLUMN "decide_before" DATETIME;
ALTER TABLE "view_version" ADD COLUMN "headcount" INTEGER;
ALTER TABLE "view_version" ADD COLUMN "host_id" TEXT;
ALTER TABLE "view_version" ADD COLUMN "note" TEXT;
ALTER TABLE "view_version" ADD COLUMN "requested_at" DATETIME;
ALTER TABLE "view_version" ADD COLUMN "space_id" TEXT;

-- CreateTable
CREATE TABLE "space_view" (
    "generation" INTEGER NOT NULL,
    "space_id" TEXT NOT NULL,
    "host_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "opening_hours" JSONB NOT NULL,
    "opening_exceptions" JSONB NOT NULL,
    "version" INTEGER NOT NULL,

    PRIMARY KEY ("generation", "space_id")
);

-- CreateIndex
CREATE INDEX "space_view_of_host" ON "space_view"("generation", "host_id");

-- CreateIndex
CREATE INDEX "booking_status_view_of_host" ON "booking_status_view"("generation", "host_id", "start_at", "booking_id");

-- CreateIndex
CREATE INDEX "booking_status_view_of_space" ON "booking_status_view"("generation", "space_id", "start_at", "booking_id");

-- CreateIndex
CREATE INDEX "booking_status_view_of_host_by_status" ON "booking_status_view"("generation", "host_id", "status", "start_at", "booking_id");
