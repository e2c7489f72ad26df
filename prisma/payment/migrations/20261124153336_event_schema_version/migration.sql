-- AlterTable
ALTER TABLE "event_archive" ADD COLUMN     "schema_version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "outbox" ADD COLUMN     "schema_version" INTEGER NOT NULL DEFAULT 1;
