-- compatible: columns with defaults, a new table, and two triggers that keep the previous release within the charge.
-- Expand only. The previous release knows no goodwill refunds. Next to this one, and after a rollback:
-- - what it records as owed for a cancellation is lowered by a trigger to what is left of the charge;
-- - it does not refund or end a payment with a completed goodwill refund: it finds a status at which it expects
--   nothing owed, or the second trigger refuses its statement. It retries, and this release does it;
-- - a cancellation that it records and refunds while a goodwill refund is under way stays at what was left then,
--   also if the provider refuses the goodwill refund in the end: the reconciliation reports the booking.

-- AlterTable
ALTER TABLE "payment" ADD COLUMN     "goodwill" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "refund" ADD COLUMN     "quoted" INTEGER;

-- CreateTable
CREATE TABLE "goodwill_refund" (
    "id" UUID NOT NULL,
    "payment_id" UUID NOT NULL,
    "idempotency_key" TEXT NOT NULL,
    "amount" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "operator_id" TEXT NOT NULL,
    "owed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "refusals" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3),
    "failed_at" TIMESTAMPTZ(3),
    "settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "goodwill_refund_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "goodwill_refund_idempotency_key_key" ON "goodwill_refund"("idempotency_key");

-- CreateIndex
CREATE INDEX "goodwill_refund_payment_id_idx" ON "goodwill_refund"("payment_id");

-- AddForeignKey
ALTER TABLE "goodwill_refund" ADD CONSTRAINT "goodwill_refund_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payment"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "goodwill_refund" ADD CONSTRAINT "goodwill_refund_amount" CHECK ("amount" > 0);

-- For the sweeper.
CREATE INDEX "goodwill_refund_due" ON "goodwill_refund" ("next_attempt_at") WHERE "next_attempt_at" IS NOT NULL;

-- For the metrics: those under way, and those that have failed of late.
CREATE INDEX "goodwill_refund_unsettled" ON "goodwill_refund" ("failed_at") WHERE "settled_at" IS NULL;

-- A cancellation is owed at most what goodwill refunds leave of the charge. Which lock the writer has does not
-- matter: the payment's row is locked here, and the sum is read after that. If one that is under way takes a part
-- of it, the refund waits (no attempt is due): should that one fail, its amount is owed after all.
CREATE FUNCTION "cap_refund"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    remaining INTEGER;
    is_reserved BOOLEAN;
BEGIN
    SELECT "amount" INTO remaining FROM "payment" WHERE "id" = NEW."payment_id" FOR UPDATE;
    SELECT remaining - coalesce(sum("amount"), 0), coalesce(bool_or("settled_at" IS NULL), FALSE)
      INTO remaining, is_reserved
      FROM "goodwill_refund" WHERE "payment_id" = NEW."payment_id" AND "failed_at" IS NULL;
    IF NEW."amount" > remaining THEN
        NEW."amount" := remaining;
        IF is_reserved AND NEW."quoted" IS NOT NULL THEN NEW."next_attempt_at" := NULL; END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER "refund_within_charge" BEFORE INSERT ON "refund"
    FOR EACH ROW EXECUTE FUNCTION "cap_refund"();

-- After the statement, which may complete the refund and change the payment together.
CREATE FUNCTION "check_refunded"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."refunded" <> NEW."goodwill" + coalesce(
        (SELECT "amount" FROM "refund" WHERE "payment_id" = NEW."id" AND "settled_at" IS NOT NULL), 0) THEN
        RAISE EXCEPTION 'payment %: refunded is not the sum of its refunds', NEW."id"
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER "payment_refunded_sum" AFTER UPDATE OF "refunded", "goodwill" ON "payment"
    FOR EACH ROW WHEN (NEW."goodwill" > 0) EXECUTE FUNCTION "check_refunded"();
