-- The statuses of a booking that its host decides. In a migration of their own: PostgreSQL lets no transaction
-- use a value that it has added to an enum.

-- AlterEnum
ALTER TYPE "booking_status" ADD VALUE 'AWAITING_APPROVAL';
ALTER TYPE "booking_status" ADD VALUE 'REJECTED';
