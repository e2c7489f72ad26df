-- compatible: columns with defaults, a new table, and the two triggers that keep the previous release within the charges.
-- Expand only. Release 0.2.0 knows no changes of bookings, and does not understand their events: they wait for this
-- release. Next to this one, and after a rollback:
-- - what it records as owed for a cancellation is lowered by the trigger to what refunds of changes leave of the
--   charges;
-- - it does not refund or end a payment with a completed refund of a change: it finds a status at which it expects
--   nothing owed, or the second trigger refuses its statement. It retries, and this release does it;
-- - its sandbox provider knows the first charge alone, and refuses to refund more. The refund is retried, and this
--   release does it; one that has failed by then is resolved by an operator;
-- - if it refunds a cancellation while the refund of a change has failed, the payment's status is no longer
--   REFUND_FAILED. The refund stays failed, and an operator resolves it as any other.

-- AlterTable
ALTER TABLE "payment" ADD COLUMN     "refunded_for_changes" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "sandbox_charge" ADD COLUMN     "account" TEXT,
ADD COLUMN     "payment_method" TEXT;

-- CreateTable
CREATE TABLE "payment_change" (
    "id" UUID NOT NULL,
    "payment_id" UUID NOT NULL,
    "difference" INTEGER NOT NULL,
    "charge_status" TEXT NOT NULL,
    "charging_until" TIMESTAMPTZ(3),
    "refund_amount" INTEGER,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "refusals" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3),
    "failed_at" TIMESTAMPTZ(3),
    "settled_at" TIMESTAMPTZ(3),
    "settled_outside" BOOLEAN NOT NULL DEFAULT false,
    "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "payment_change_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "payment_change_payment_id_idx" ON "payment_change"("payment_id");

-- CreateIndex
CREATE INDEX "sandbox_charge_account_idx" ON "sandbox_charge"("account");

-- AddForeignKey
ALTER TABLE "payment_change" ADD CONSTRAINT "payment_change_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payment"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "payment_change" ADD CONSTRAINT "payment_change_amounts"
    CHECK ("difference" <> 0 AND "refund_amount" BETWEEN 0 AND abs("difference"));
ALTER TABLE "payment_change" ADD CONSTRAINT "payment_change_charge"
    CHECK ("charge_status" IN ('PENDING', 'APPROVED', 'DECLINED', 'VOIDED')
       AND ("difference" > 0 OR "charge_status" <> 'PENDING'));
-- What was not charged or reserved is not refunded: the sums of owed refunds do not ask for the status.
ALTER TABLE "payment_change" ADD CONSTRAINT "payment_change_refund"
    CHECK ("refund_amount" IS NULL OR "charge_status" = 'APPROVED');

-- For the sweeper.
CREATE INDEX "payment_change_due" ON "payment_change" ("next_attempt_at") WHERE "next_attempt_at" IS NOT NULL;

-- For the metrics. A charge that stands is not settled, and nothing of it is due.
CREATE INDEX "payment_change_unsettled" ON "payment_change" ("failed_at")
    WHERE "settled_at" IS NULL AND ("next_attempt_at" IS NOT NULL OR "failed_at" IS NOT NULL);

-- A cancellation is owed at most what goodwill refunds and refunds of changes leave of the charges. It waits for
-- goodwill that may fail, and for a reduction that book may release; a refund of a change that has failed stays
-- owed.
CREATE OR REPLACE FUNCTION "cap_refund"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    remaining INTEGER;
    is_reserved BOOLEAN;
BEGIN
    SELECT "amount" INTO remaining FROM "payment" WHERE "id" = NEW."payment_id" FOR UPDATE;
    SELECT remaining - coalesce(sum("refund_amount"), 0) INTO remaining
      FROM "payment_change" WHERE "payment_id" = NEW."payment_id";
    SELECT remaining - coalesce(sum("amount"), 0), coalesce(bool_or("settled_at" IS NULL), FALSE)
           OR EXISTS (SELECT FROM "payment_change" WHERE "payment_id" = NEW."payment_id" AND "difference" < 0
                         AND "charge_status" = 'APPROVED' AND "attempts" = 0 AND "settled_at" IS NULL)
      INTO remaining, is_reserved
      FROM "goodwill_refund" WHERE "payment_id" = NEW."payment_id" AND "failed_at" IS NULL;
    IF NEW."amount" > remaining THEN
        NEW."amount" := remaining;
        IF is_reserved AND NEW."quoted" IS NOT NULL THEN NEW."next_attempt_at" := NULL; END IF;
    END IF;
    RETURN NEW;
END $$;

-- After the statement, which may complete the refund and change the payment together.
CREATE OR REPLACE FUNCTION "check_refunded"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."refunded" <> NEW."goodwill" + NEW."refunded_for_changes" + coalesce(
        (SELECT "amount" FROM "refund" WHERE "payment_id" = NEW."id" AND "settled_at" IS NOT NULL), 0) THEN
        RAISE EXCEPTION 'payment %: refunded is not the sum of its refunds', NEW."id"
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER "payment_refunded_sum"
    AFTER UPDATE OF "refunded", "goodwill", "refunded_for_changes" ON "payment"
    FOR EACH ROW WHEN (NEW."goodwill" > 0 OR NEW."refunded_for_changes" > 0)
    EXECUTE FUNCTION "check_refunded"();
