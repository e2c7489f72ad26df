-- compatible: a refund's id has a random default, so rows of the previous release are unique.
-- Expand only: the previous release runs on this schema. It cannot read a payment whose refund has
-- failed for good, and leaves those to this release.

-- AlterEnum
ALTER TYPE "payment_status" ADD VALUE 'REFUND_FAILED';

-- AlterTable
ALTER TABLE "payment" ADD COLUMN     "charging_until" TIMESTAMPTZ(3),
ADD COLUMN     "refund_owed" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "refund" ADD COLUMN     "failed_at" TIMESTAMPTZ(3),
ADD COLUMN     "id" UUID NOT NULL DEFAULT gen_random_uuid(),
ADD COLUMN     "owed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "refusals" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "settled_outside" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "sandbox_charge" ADD COLUMN     "refunds" TEXT NOT NULL DEFAULT 'accept';

-- AlterTable
ALTER TABLE "sandbox_refund" ADD COLUMN     "charge_key" TEXT;

-- CreateIndex
CREATE UNIQUE INDEX "refund_id_key" ON "refund"("id");

-- CreateIndex
CREATE INDEX "sandbox_refund_charge_key_idx" ON "sandbox_refund"("charge_key");

UPDATE "payment" SET "refund_owed" = TRUE
  FROM "refund" WHERE "refund"."payment_id" = "payment"."id";

-- Payment method tokens have served their purpose once the charge is decided.
UPDATE "payment" SET "payment_method" = '',
       "decline_reason" = replace("decline_reason", "payment_method", 'the payment method')
 WHERE "status" <> 'PENDING' AND "payment_method" <> '';

-- The previous release keeps them.
CREATE FUNCTION "forget_payment_method"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."status" <> 'PENDING' THEN NEW."payment_method" := ''; END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER "payment_forget_method" BEFORE UPDATE ON "payment"
    FOR EACH ROW EXECUTE FUNCTION "forget_payment_method"();

-- Refunds get keys of their own; the previous release gives the charge's key for them. Both must
-- name the same refund, or the provider would pay it twice while both releases run.
CREATE FUNCTION "name_sandbox_refund"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."charge_key" IS NULL THEN
        NEW."charge_key" := NEW."key";
        NEW."key" := coalesce(
            (SELECT r."id"::text FROM "refund" r JOIN "payment" p ON p."id" = r."payment_id"
              WHERE p."booking_id"::text = NEW."charge_key"), NEW."key");
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER "sandbox_refund_name" BEFORE INSERT ON "sandbox_refund"
    FOR EACH ROW EXECUTE FUNCTION "name_sandbox_refund"();

UPDATE "sandbox_refund" SET "charge_key" = "key";
UPDATE "sandbox_refund" s SET "key" = r."id"::text
  FROM "payment" p JOIN "refund" r ON r."payment_id" = p."id"
 WHERE p."booking_id"::text = s."charge_key";
