-- Deadlines, a limit of unpaid holds, slots that are free before their refund, and payment methods
-- that are erased after use.
-- compatible: triggers fill in the digest, erase the payment method and correct "live", so every row that
-- the previous release writes passes the constraints.

-- SHA-256 of the booking's id and the payment method: compares a repeated request with the first one
-- after the payment method itself is erased.
CREATE FUNCTION "booking_payment_method_digest"("id" UUID, "payment_method" TEXT) RETURNS TEXT
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(sha256(convert_to("id"::text || ':' || "payment_method", 'UTF8')), 'hex');

-- AlterTable
ALTER TABLE "booking" ADD COLUMN     "checks" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "deadline_at" TIMESTAMPTZ(3),
ADD COLUMN     "next_check_at" TIMESTAMPTZ(3),
ADD COLUMN     "payment_method_digest" TEXT,
ADD COLUMN     "status_since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

ALTER TABLE "booking" DROP CONSTRAINT "booking_live_by_status";

UPDATE "booking" SET
    "payment_method_digest" = booking_payment_method_digest("id", "payment_method"),
    "payment_method" = CASE WHEN "status" IN ('REQUESTED', 'PAYMENT_DEFERRED') THEN "payment_method" ELSE '' END,
    "live" = "live" AND NOT ("status" = 'CANCELLING' AND "registration_cancelled"),
    "deadline_at" = CASE
        WHEN "status" IN ('REQUESTED', 'PAYMENT_DEFERRED') THEN "hold_expires_at" + interval '5 minutes'
        WHEN "status" IN ('PAID', 'CANCELLING') THEN now() + interval '10 minutes' END,
    "next_check_at" = CASE WHEN "status" IN ('PAID', 'CANCELLING') THEN now() END;

ALTER TABLE "booking" ALTER COLUMN "payment_method_digest" SET NOT NULL;

-- A booking holds its slot exactly as long as its status says so; one that is being cancelled, until
-- nothing is registered any more: the refund may take its time.
ALTER TABLE "booking" ADD CONSTRAINT "booking_live_by_status" CHECK (
    "live" = ("status" IN ('REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'REGISTERED')
              OR ("status" = 'CANCELLING' AND NOT "registration_cancelled")));

-- The payment method stays only while it may be charged.
ALTER TABLE "booking" ADD CONSTRAINT "booking_payment_method_erased" CHECK (
    "payment_method" = '' OR "status" IN ('REQUESTED', 'PAYMENT_DEFERRED'));

-- Written by the database, in the statement that changes the status and by its clock, whichever
-- release runs that statement: a status can neither be entered without its deadline nor keep a
-- payment method that is not needed any more.
CREATE FUNCTION "booking_enter_status"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    "is_unpaid" CONSTANT BOOLEAN := NEW."status" IN ('REQUESTED', 'PAYMENT_DEFERRED');
    "is_passing" CONSTANT BOOLEAN := NEW."status" IN ('PAID', 'CANCELLING');
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW."payment_method_digest" := booking_payment_method_digest(NEW."id", NEW."payment_method");
    END IF;
    IF NOT "is_unpaid" THEN
        NEW."payment_method" := '';
    END IF;
    -- The previous release writes TRUE.
    IF NEW."status" = 'CANCELLING' AND NEW."registration_cancelled" THEN
        NEW."live" := FALSE;
    END IF;
    IF TG_OP = 'INSERT' OR NEW."status" <> OLD."status" THEN
        NEW."status_since" := now();
        NEW."checks" := 0;
        NEW."deadline_at" := CASE
            WHEN "is_unpaid" THEN NEW."hold_expires_at" + interval '5 minutes'
            WHEN "is_passing" THEN now() + interval '10 minutes' END;
        NEW."next_check_at" := CASE WHEN "is_passing" THEN now() + interval '30 seconds' END;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER "booking_inserted" BEFORE INSERT ON "booking"
    FOR EACH ROW EXECUTE FUNCTION "booking_enter_status"();

CREATE TRIGGER "booking_status_changed" BEFORE UPDATE ON "booking"
    FOR EACH ROW WHEN (OLD."status" <> NEW."status" OR NEW."status" = 'CANCELLING')
    EXECUTE FUNCTION "booking_enter_status"();

-- How many slots the customer holds unpaid. Locks the customer until the transaction ends, and counts
-- with a snapshot taken after that: of two requests at once the later one sees the earlier one's hold.
CREATE FUNCTION "booking_unpaid_holds"("customer" TEXT) RETURNS INTEGER LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended("customer", 0));
    RETURN (SELECT count(*) FROM "booking"
             WHERE "customer_id" = "customer" AND "status" IN ('REQUESTED', 'PAYMENT_DEFERRED')
               AND "hold_expires_at" > now());
END $$;

CREATE INDEX "booking_unpaid_by_customer" ON "booking" ("customer_id")
    WHERE "status" IN ('REQUESTED', 'PAYMENT_DEFERRED');

-- For the sweeper of deadlines.
CREATE INDEX "booking_to_check" ON "booking" ("next_check_at") WHERE "status" IN ('PAID', 'CANCELLING');

-- For the list of stuck bookings, and the gauges.
CREATE INDEX "booking_by_deadline" ON "booking" ("deadline_at")
    WHERE "status" IN ('REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'CANCELLING');
CREATE INDEX "booking_passing_since" ON "booking" ("status", "status_since")
    WHERE "status" IN ('REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'CANCELLING');

-- For the list of bookings, newest first: ids are UUIDv7. A customer's are found by the index of the
-- idempotency keys.
-- CreateIndex
CREATE INDEX "booking_host_id_id_idx" ON "booking"("host_id", "id");

-- CreateIndex
CREATE INDEX "booking_space_id_id_idx" ON "booking"("space_id", "id");

-- CreateIndex
CREATE INDEX "booking_status_id_idx" ON "booking"("status", "id");

-- CreateIndex
CREATE INDEX "booking_start_at_idx" ON "booking"("start_at");

-- For redelivering the last event of a booking that was archived.
-- CreateIndex
CREATE INDEX "event_archive_aggregate_id_version_idx" ON "event_archive"("aggregate_id", "version");
