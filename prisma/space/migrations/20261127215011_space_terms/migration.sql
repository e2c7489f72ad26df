-- The terms of a space, its photos and amenities, and what the search by them and in other orders needs.
-- The defaults are those of a space whose host sets none, so the previous release writes what it means.

-- CreateEnum
CREATE TYPE "space_state" AS ENUM ('ACTIVE', 'PAUSED', 'ARCHIVED');

-- CreateEnum
CREATE TYPE "booking_mode" AS ENUM ('INSTANT', 'APPROVAL');

-- AlterTable
ALTER TABLE "occupied_slot" ADD COLUMN     "hold_end_at" TIMESTAMPTZ(3),
ADD COLUMN     "hold_start_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "space" ADD COLUMN     "add_ons" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "amenities" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "amenity_keys" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "booking_mode" "booking_mode" NOT NULL DEFAULT 'INSTANT',
ADD COLUMN     "booking_rules" JSONB NOT NULL DEFAULT '{"stepMinutes": 30, "minMinutes": 30, "maxMinutes": 44640, "minNoticeMinutes": 0, "maxAdvanceDays": 365, "bufferBeforeMinutes": 0, "bufferAfterMinutes": 0, "approvalHours": 24}',
ADD COLUMN     "extra_person_hourly_rate" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "holiday_country" TEXT,
ADD COLUMN     "included_headcount" INTEGER,
ADD COLUMN     "opening_exceptions" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "photos" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "price_rules" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "state" "space_state" NOT NULL DEFAULT 'ACTIVE',
ADD COLUMN     "vat_percent" INTEGER NOT NULL DEFAULT 10;

-- CreateIndex
CREATE INDEX "space_host_id_id_idx" ON "space"("host_id", "id");

-- CreateIndex
CREATE INDEX "space_capacity_idx" ON "space"("capacity");

-- CreateIndex
CREATE INDEX "space_amenities" ON "space" USING GIN ("amenity_keys");

-- The orders of the catalogue, which does not show archived spaces. The expressions are those of the search.
CREATE INDEX "space_newest" ON "space" ("id") WHERE "state" <> 'ARCHIVED';
CREATE INDEX "space_price" ON "space" ("currency", "hourly_rate", "id") WHERE "state" <> 'ARCHIVED';
CREATE INDEX "space_name" ON "space" ((lower("name") COLLATE "C"), "id") WHERE "state" <> 'ARCHIVED';
