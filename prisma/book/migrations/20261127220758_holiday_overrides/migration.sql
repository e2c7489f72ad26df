-- CreateTable
CREATE TABLE "holiday_override" (
    "country" TEXT NOT NULL,
    "date" DATE NOT NULL,
    "name" TEXT NOT NULL,
    "is_holiday" BOOLEAN NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "holiday_override_pkey" PRIMARY KEY ("country","date")
);
