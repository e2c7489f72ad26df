-- The twin of migrations/sqlite, written by hand. What is there becomes the first generation, and the
-- live one: the columns are added with a default of 1, which only the existing rows are to have.

-- CreateTable
CREATE TABLE `view_generation` (
    `id` INTEGER NOT NULL AUTO_INCREMENT,
    `state` VARCHAR(191) NOT NULL,
    `slot` VARCHAR(191) NULL,
    `events_read` INTEGER NOT NULL DEFAULT 0,
    `events_total` INTEGER NOT NULL DEFAULT 0,
    `views_compared` INTEGER NOT NULL DEFAULT 0,
    `differences` INTEGER NOT NULL DEFAULT 0,
    `differing_booking_ids` VARCHAR(1000) NOT NULL DEFAULT '',
    `message` VARCHAR(1000) NOT NULL DEFAULT '',
    `started_at` DATETIME(3) NOT NULL,
    `heartbeat_at` DATETIME(3) NOT NULL,
    `finished_at` DATETIME(3) NULL,
    `retired_at` DATETIME(3) NULL,
    `cleared_at` DATETIME(3) NULL,

    UNIQUE INDEX `view_generation_slot_key`(`slot`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- AlterTable
ALTER TABLE `booking_status_view`
    ADD COLUMN `generation` INTEGER NOT NULL DEFAULT 1 FIRST,
    -- Both may have 200 characters.
    MODIFY COLUMN `customer_id` VARCHAR(255) NULL,
    MODIFY COLUMN `space_name` VARCHAR(255) NULL,
    DROP PRIMARY KEY,
    ADD PRIMARY KEY (`generation`, `booking_id`),
    DROP INDEX `booking_status_view_customer_id_start_at_booking_id_idx`,
    ADD INDEX `booking_status_view_of_customer`(`generation`, `customer_id`, `start_at`, `booking_id`);
ALTER TABLE `booking_status_view` ALTER COLUMN `generation` DROP DEFAULT;

-- AlterTable
ALTER TABLE `status_change`
    ADD COLUMN `generation` INTEGER NOT NULL DEFAULT 1 FIRST,
    DROP PRIMARY KEY,
    ADD PRIMARY KEY (`generation`, `booking_id`, `booking_version`);
ALTER TABLE `status_change` ALTER COLUMN `generation` DROP DEFAULT;

-- AlterTable
ALTER TABLE `inbox`
    ADD COLUMN `generation` INTEGER NOT NULL DEFAULT 1 FIRST,
    ADD COLUMN `parked` BOOLEAN NOT NULL DEFAULT false,
    DROP PRIMARY KEY,
    ADD PRIMARY KEY (`generation`, `event_id`);
ALTER TABLE `inbox` ALTER COLUMN `generation` DROP DEFAULT;

INSERT INTO `view_generation` (`id`, `state`, `slot`, `started_at`, `heartbeat_at`, `finished_at`)
VALUES (1, 'LIVE', 'LIVE', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), UTC_TIMESTAMP(3));
