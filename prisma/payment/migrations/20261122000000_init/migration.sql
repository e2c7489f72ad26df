-- CreateEnum
CREATE TYPE "payment_status" AS ENUM ('PENDING', 'APPROVED', 'DECLINED', 'REFUNDED', 'PARTIALLY_REFUNDED', 'VOIDED');

-- CreateEnum
CREATE TYPE "currency" AS ENUM ('KRW', 'USD', 'EUR', 'JPY');

-- CreateTable
CREATE TABLE "payment" (
    "id" UUID NOT NULL,
    "booking_id" UUID NOT NULL,
    "customer_id" TEXT NOT NULL,
    "space_id" UUID NOT NULL,
    "start_at" TIMESTAMPTZ(3) NOT NULL,
    "end_at" TIMESTAMPTZ(3) NOT NULL,
    "amount" INTEGER NOT NULL,
    "currency" "currency" NOT NULL,
    "payment_method" TEXT NOT NULL,
    "status" "payment_status" NOT NULL,
    "refunded" INTEGER NOT NULL DEFAULT 0,
    "decline_reason" TEXT,
    "version" INTEGER NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "approved_at" TIMESTAMPTZ(3),
    "correlation_id" TEXT NOT NULL,

    CONSTRAINT "payment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "refund" (
    "payment_id" UUID NOT NULL,
    "amount" INTEGER NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3),
    "settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "refund_pkey" PRIMARY KEY ("payment_id")
);

-- CreateTable
CREATE TABLE "sandbox_charge" (
    "key" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "amount" INTEGER NOT NULL,
    "currency" TEXT NOT NULL,
    "charged_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "sandbox_charge_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "sandbox_attempt" (
    "key" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL,

    CONSTRAINT "sandbox_attempt_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "sandbox_refund" (
    "key" TEXT NOT NULL,
    "amount" INTEGER NOT NULL,
    "refunded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "sandbox_refund_pkey" PRIMARY KEY ("key")
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
CREATE UNIQUE INDEX "payment_booking_id_key" ON "payment"("booking_id");

-- CreateIndex
CREATE UNIQUE INDEX "outbox_aggregate_id_version_key" ON "outbox"("aggregate_id", "version");

-- AddForeignKey
ALTER TABLE "refund" ADD CONSTRAINT "refund_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payment"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "payment" ADD CONSTRAINT "payment_refund_within_amount"
    CHECK ("refunded" BETWEEN 0 AND "amount");

-- For the sweeper.
CREATE INDEX "refund_due" ON "refund" ("next_attempt_at") WHERE "settled_at" IS NULL;

-- For the relay: only what somebody still has to acknowledge.
CREATE INDEX "outbox_awaited" ON "outbox" ("next_attempt_at") WHERE "awaiting" <> '{}';
