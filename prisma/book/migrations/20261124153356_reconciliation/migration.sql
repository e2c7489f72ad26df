-- CreateTable
CREATE TABLE "reconciliation_source" (
    "source" TEXT NOT NULL,
    "event_id" UUID NOT NULL,
    "leased_until" TIMESTAMPTZ(3) NOT NULL,
    "caught_up_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "reconciliation_source_pkey" PRIMARY KEY ("source")
);

-- CreateTable
CREATE TABLE "invariant_violation" (
    "booking_id" UUID NOT NULL,
    "invariant" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "found_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "invariant_violation_pkey" PRIMARY KEY ("booking_id","invariant")
);
