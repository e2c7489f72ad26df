-- Changes of registered bookings: a change holds its new slot next to the old one until it is applied.
-- compatible: new columns that may be null, and a new table. The previous release cancels a booking without
-- ending its change: this release finds that change, ends it, and has its charge refunded.

-- AlterTable
ALTER TABLE "booking" ADD COLUMN     "change_id" UUID,
ADD COLUMN     "change_version" INTEGER;

-- AlterTable
ALTER TABLE "slot_hold" ADD COLUMN     "change_id" UUID;

-- CreateTable
CREATE TABLE "booking_change" (
    "id" UUID NOT NULL,
    "booking_id" UUID NOT NULL,
    "idempotency_key" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "from_terms" JSONB NOT NULL,
    "to_terms" JSONB NOT NULL,
    "difference" INTEGER NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 1,
    "next_attempt_at" TIMESTAMPTZ(3),

    CONSTRAINT "booking_change_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "booking_change_booking_id_idempotency_key_key" ON "booking_change"("booking_id", "idempotency_key");

-- CreateIndex
CREATE INDEX "slot_hold_change_id_idx" ON "slot_hold"("change_id");

-- AddForeignKey
ALTER TABLE "slot_hold" ADD CONSTRAINT "slot_hold_change_id_fkey" FOREIGN KEY ("change_id") REFERENCES "booking_change"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "booking_change" ADD CONSTRAINT "booking_change_booking_id_fkey" FOREIGN KEY ("booking_id") REFERENCES "booking"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "booking_change" ADD CONSTRAINT "booking_change_state"
    CHECK ("state" IN ('PENDING', 'APPLIED', 'DECLINED', 'EXPIRED'));

-- For the retries.
CREATE INDEX "booking_change_due" ON "booking_change" ("next_attempt_at") WHERE "next_attempt_at" IS NOT NULL;

-- One change of a booking at a time.
CREATE UNIQUE INDEX "booking_change_pending" ON "booking_change" ("booking_id") WHERE "state" = 'PENDING';

-- For the bookings whose change takes too long.
CREATE INDEX "booking_change_deadline" ON "booking" ("deadline_at") WHERE "change_id" IS NOT NULL;

CREATE INDEX "booking_changing_by_customer" ON "booking" ("customer_id")
    WHERE "change_id" IS NOT NULL AND "change_version" IS NULL;

-- A pending change holds a slot that is not paid, as an unpaid booking does. Its deadline is five minutes after the
-- end of that hold.
CREATE OR REPLACE FUNCTION "booking_unpaid_holds"("customer" TEXT) RETURNS INTEGER LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended("customer", 0));
    RETURN (SELECT count(*) FROM "booking"
             WHERE "customer_id" = "customer"
               AND "status" IN ('AWAITING_APPROVAL', 'REQUESTED', 'PAYMENT_DEFERRED')
               AND "hold_expires_at" > now())
         + (SELECT count(*) FROM "booking"
             WHERE "customer_id" = "customer" AND "change_id" IS NOT NULL AND "change_version" IS NULL
               AND "status" = 'REGISTERED' AND "deadline_at" > now() + interval '5 minutes');
END $$;
