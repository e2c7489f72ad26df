-- CreateTable
CREATE TABLE "space_calendar" (
    "space_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "fingerprint" TEXT NOT NULL,

    CONSTRAINT "space_calendar_pkey" PRIMARY KEY ("space_id")
);

-- For the holds of a space that have expired and are still live.
CREATE INDEX "booking_expiring_by_space" ON "booking" ("space_id", "hold_expires_at")
    WHERE "status" IN ('AWAITING_APPROVAL', 'REQUESTED', 'PAYMENT_DEFERRED');
