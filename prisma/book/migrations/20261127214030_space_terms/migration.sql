-- The terms of a space: booking rules, prices and dates with other hours.
-- The defaults are those of a space whose host sets none, so the previous release writes what it means.

-- AlterTable
ALTER TABLE "catalogue_space" ADD COLUMN     "add_ons" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "booking_mode" TEXT NOT NULL DEFAULT 'INSTANT',
ADD COLUMN     "booking_rules" JSONB NOT NULL DEFAULT '{"stepMinutes": 30, "minMinutes": 30, "maxMinutes": 44640, "minNoticeMinutes": 0, "maxAdvanceDays": 365, "bufferBeforeMinutes": 0, "bufferAfterMinutes": 0, "approvalHours": 24}',
ADD COLUMN     "extra_person_hourly_rate" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "holiday_country" TEXT,
ADD COLUMN     "included_headcount" INTEGER,
ADD COLUMN     "opening_exceptions" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "price_rules" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "state" TEXT NOT NULL DEFAULT 'ACTIVE',
ADD COLUMN     "vat_percent" INTEGER NOT NULL DEFAULT 10;
