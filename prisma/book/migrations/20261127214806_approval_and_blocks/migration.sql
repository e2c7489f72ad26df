-- Approval by the host, buffers around bookings, frozen price lines, and blocks.
-- compatible: the new columns have defaults, and the constraints differ for the new statuses alone, which the
-- previous release does not write. It leaves a booking that awaits approval alone; this release expires it.

-- AlterTable
ALTER TABLE "booking" ADD COLUMN     "add_ons" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "buffer_after_minutes" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "buffer_before_minutes" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "decision" TEXT,
ADD COLUMN     "goodwill_amount" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "note" TEXT,
ADD COLUMN     "price_lines" JSONB,
ADD COLUMN     "rejection_reason" TEXT,
ADD COLUMN     "vat_amount" INTEGER;

-- AlterTable
ALTER TABLE "slot_hold" ADD COLUMN     "block_id" UUID;

-- CreateTable
CREATE TABLE "block" (
    "id" UUID NOT NULL,
    "space_id" UUID NOT NULL,
    "host_id" TEXT NOT NULL,
    "start_at" TIMESTAMPTZ(3) NOT NULL,
    "end_at" TIMESTAMPTZ(3) NOT NULL,
    "reason" TEXT NOT NULL,
    "created_by" TEXT NOT NULL,
    "idempotency_key" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "block_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "block_created_by_idempotency_key_key" ON "block"("created_by", "idempotency_key");

-- CreateIndex
CREATE INDEX "slot_hold_block_id_idx" ON "slot_hold"("block_id");

-- Deferred, because the hold is written first: it says whether the time is free.
-- AddForeignKey
ALTER TABLE "slot_hold" ADD CONSTRAINT "slot_hold_block_id_fkey" FOREIGN KEY ("block_id")
    REFERENCES "block"("id") ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE "block" ADD CONSTRAINT "block_slot_order" CHECK ("start_at" < "end_at");

-- A hold belongs to a booking or a block, and its owner is that.
ALTER TABLE "slot_hold" ADD CONSTRAINT "slot_hold_block_owner"
    CHECK ("block_id" IS NULL OR "block_id" = "owner_id" AND "booking_id" IS NULL);

ALTER TABLE "booking" ADD CONSTRAINT "booking_decision" CHECK ("decision" IN ('APPROVED', 'REJECTED'));

ALTER TABLE "booking" DROP CONSTRAINT "booking_live_by_status";
ALTER TABLE "booking" ADD CONSTRAINT "booking_live_by_status" CHECK (
    "live" = ("status" IN ('AWAITING_APPROVAL', 'REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'REGISTERED')
              OR ("status" = 'CANCELLING' AND NOT "registration_cancelled")));

ALTER TABLE "booking" DROP CONSTRAINT "booking_payment_method_erased";
ALTER TABLE "booking" ADD CONSTRAINT "booking_payment_method_erased" CHECK (
    "payment_method" = '' OR "status" IN ('AWAITING_APPROVAL', 'REQUESTED', 'PAYMENT_DEFERRED'));

-- As before, with the status that awaits the host: its hold expires like that of an unpaid booking.
CREATE OR REPLACE FUNCTION "booking_enter_status"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    "is_expiring" CONSTANT BOOLEAN := NEW."status" IN ('AWAITING_APPROVAL', 'REQUESTED', 'PAYMENT_DEFERRED');
    "is_passing" CONSTANT BOOLEAN := NEW."status" IN ('PAID', 'CANCELLING');
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW."payment_method_digest" := booking_payment_method_digest(NEW."id", NEW."payment_method");
    END IF;
    IF NOT "is_expiring" THEN
        NEW."payment_method" := '';
    END IF;
    -- Release 0.1 wrote TRUE.
    IF NEW."status" = 'CANCELLING' AND NEW."registration_cancelled" THEN
        NEW."live" := FALSE;
    END IF;
    IF TG_OP = 'INSERT' OR NEW."status" <> OLD."status" THEN
        NEW."status_since" := now();
        NEW."checks" := 0;
        NEW."deadline_at" := CASE
            WHEN "is_expiring" THEN NEW."hold_expires_at" + interval '5 minutes'
            WHEN "is_passing" THEN now() + interval '10 minutes' END;
        NEW."next_check_at" := CASE WHEN "is_passing" THEN now() + interval '30 seconds' END;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION "booking_unpaid_holds"("customer" TEXT) RETURNS INTEGER LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended("customer", 0));
    RETURN (SELECT count(*) FROM "booking"
             WHERE "customer_id" = "customer"
               AND "status" IN ('AWAITING_APPROVAL', 'REQUESTED', 'PAYMENT_DEFERRED')
               AND "hold_expires_at" > now());
END $$;

-- The hold has the buffers of the booking; everything else is as before.
CREATE OR REPLACE FUNCTION "booking_insert_hold"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- ON CONFLICT skips the booking only after this trigger: a hold written here would stay behind.
    IF EXISTS (SELECT FROM "booking" WHERE "id" = NEW."id" OR ("customer_id" = NEW."customer_id"
                                             AND "idempotency_key" = NEW."idempotency_key")) THEN
        RETURN NEW;
    END IF;
    INSERT INTO "slot_hold" ("space_id", "owner_id", "booking_id", "start_at", "end_at", "live")
    VALUES (NEW."space_id", NEW."id", NEW."id",
            NEW."start_at" - NEW."buffer_before_minutes" * interval '1 minute',
            NEW."end_at" + NEW."buffer_after_minutes" * interval '1 minute', TRUE)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION "booking_update_hold"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."live" THEN
        INSERT INTO "slot_hold" ("space_id", "owner_id", "booking_id", "start_at", "end_at", "live")
        VALUES (NEW."space_id", NEW."id", NEW."id",
                NEW."start_at" - NEW."buffer_before_minutes" * interval '1 minute',
                NEW."end_at" + NEW."buffer_after_minutes" * interval '1 minute', TRUE);
    ELSE
        UPDATE "slot_hold" SET "live" = FALSE WHERE "booking_id" = NEW."id" AND "live";
    END IF;
    RETURN NULL;
END $$;

-- In the place of those without the new status: a condition on fewer statuses implies these predicates, so they
-- serve the statements of the previous release, too.
DROP INDEX "booking_unpaid", "booking_unpaid_by_customer", "booking_by_deadline", "booking_passing_since";
CREATE INDEX "booking_expiring" ON "booking" ("next_payment_attempt_at")
    WHERE "status" IN ('AWAITING_APPROVAL', 'REQUESTED', 'PAYMENT_DEFERRED');
CREATE INDEX "booking_expiring_by_customer" ON "booking" ("customer_id")
    WHERE "status" IN ('AWAITING_APPROVAL', 'REQUESTED', 'PAYMENT_DEFERRED');
CREATE INDEX "booking_pending_by_deadline" ON "booking" ("deadline_at")
    WHERE "status" IN ('AWAITING_APPROVAL', 'REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'CANCELLING');
CREATE INDEX "booking_pending_since" ON "booking" ("status", "status_since")
    WHERE "status" IN ('AWAITING_APPROVAL', 'REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'CANCELLING');

-- For the number of blocks of a space.
CREATE INDEX "block_live" ON "block" ("space_id", "end_at") WHERE "removed_at" IS NULL;

-- How many blocks of the space have not ended. Locks the space's blocks until the transaction ends, and counts
-- with a snapshot taken after that.
CREATE FUNCTION "block_count"("space" UUID) RETURNS INTEGER LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended("space"::text, 1));
    RETURN (SELECT count(*) FROM "block"
             WHERE "space_id" = "space" AND "removed_at" IS NULL AND "end_at" > now());
END $$;
