-- btree_gist lets one exclusion constraint compare an id by equality and a range by overlap.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- CreateEnum
CREATE TYPE "booking_status" AS ENUM ('REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'REGISTERED', 'CANCELLING', 'CANCELLED', 'DECLINED', 'EXPIRED');

-- CreateEnum
CREATE TYPE "currency" AS ENUM ('KRW', 'USD', 'EUR', 'JPY');

-- CreateTable
CREATE TABLE "catalogue_space" (
    "id" UUID NOT NULL,
    "host_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "capacity" INTEGER NOT NULL,
    "hourly_rate" INTEGER NOT NULL,
    "currency" "currency" NOT NULL,
    "opening_hours" JSONB NOT NULL,
    "refund_tiers" JSONB NOT NULL,
    "version" INTEGER NOT NULL,

    CONSTRAINT "catalogue_space_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "booking" (
    "id" UUID NOT NULL,
    "customer_id" TEXT NOT NULL,
    "idempotency_key" TEXT NOT NULL,
    "space_id" UUID NOT NULL,
    "host_id" TEXT NOT NULL,
    "space_name" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "start_at" TIMESTAMPTZ(3) NOT NULL,
    "end_at" TIMESTAMPTZ(3) NOT NULL,
    "headcount" INTEGER NOT NULL,
    "price_amount" INTEGER NOT NULL,
    "currency" "currency" NOT NULL,
    "refund_tiers" JSONB NOT NULL,
    "payment_method" TEXT NOT NULL,
    "status" "booking_status" NOT NULL,
    "live" BOOLEAN NOT NULL,
    "version" INTEGER NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "hold_expires_at" TIMESTAMPTZ(3) NOT NULL,
    "payment_attempts" INTEGER NOT NULL DEFAULT 0,
    "next_payment_attempt_at" TIMESTAMPTZ(3),
    "refund_amount" INTEGER,
    "payment_cancelled" BOOLEAN NOT NULL DEFAULT false,
    "registration_cancelled" BOOLEAN NOT NULL DEFAULT false,
    "correlation_id" TEXT NOT NULL,

    CONSTRAINT "booking_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "outbox" (
    "id" UUID NOT NULL,
    "aggregate_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "topic" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "correlation_id" TEXT NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "awaiting" TEXT[],
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "inbox" (
    "event_id" UUID NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "inbox_pkey" PRIMARY KEY ("event_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "booking_customer_id_idempotency_key_key" ON "booking"("customer_id", "idempotency_key");

-- CreateIndex
CREATE UNIQUE INDEX "outbox_aggregate_id_version_key" ON "outbox"("aggregate_id", "version");

-- The promise against double booking: no two live bookings of a space overlap. The predicate cannot
-- ask whether a hold has expired (now() is not immutable), so stale holds are released by the
-- transaction that they are in the way of.
ALTER TABLE "booking" ADD CONSTRAINT "booking_no_overlap"
    EXCLUDE USING gist ("space_id" WITH =, tstzrange("start_at", "end_at", '[)') WITH &&) WHERE ("live");

ALTER TABLE "booking" ADD CONSTRAINT "booking_slot_order" CHECK ("start_at" < "end_at");

-- A booking holds its slot exactly as long as its status says so.
ALTER TABLE "booking" ADD CONSTRAINT "booking_live_by_status" CHECK (
    "live" = ("status" IN ('REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'REGISTERED', 'CANCELLING')));

-- For the sweeper.
CREATE INDEX "booking_unpaid" ON "booking" ("next_payment_attempt_at")
    WHERE "status" IN ('REQUESTED', 'PAYMENT_DEFERRED');

-- For the relay: only what somebody still has to acknowledge.
CREATE INDEX "outbox_awaited" ON "outbox" ("next_attempt_at") WHERE "awaiting" <> '{}';
