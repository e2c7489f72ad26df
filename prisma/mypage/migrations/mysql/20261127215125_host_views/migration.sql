-- The twin of migrations/sqlite, written by hand.

-- AlterTable
ALTER TABLE `booking_status_view`
    ADD COLUMN `charged_amount` INTEGER NULL,
    ADD COLUMN `decide_before` DATETIME(3) NULL,
    ADD COLUMN `headcount` INTEGER NULL,
    ADD COLUMN `host_id` VARCHAR(255) NULL,
    ADD COLUMN `note` TEXT NULL,
    ADD COLUMN `requested_at` DATETIME(3) NULL,
    ADD COLUMN `space_id` VARCHAR(191) NULL;

-- AlterTable
ALTER TABLE `view_version`
    ADD COLUMN `charged_amount` INTEGER NULL,
    ADD COLUMN `decide_before` DATETIME(3) NULL,
    ADD COLUMN `headcount` INTEGER NULL,
    ADD COLUMN `host_id` VARCHAR(255) NULL,
    ADD COLUMN `note` TEXT NULL,
    ADD COLUMN `requested_at` DATETIME(3) NULL,
    ADD COLUMN `space_id` VARCHAR(191) NULL;

-- CreateTable
CREATE TABLE `space_view` (
    `generation` INTEGER NOT NULL,
    `space_id` VARCHAR(191) NOT NULL,
    `host_id` VARCHAR(255) NOT NULL,
    `name` VARCHAR(255) NOT NULL,
    `time_zone` VARCHAR(191) NOT NULL,
    `state` VARCHAR(191) NOT NULL,
    `opening_hours` JSON NOT NULL,
    `opening_exceptions` JSON NOT NULL,
    `version` INTEGER NOT NULL,

    INDEX `space_view_of_host`(`generation`, `host_id`),
    PRIMARY KEY (`generation`, `space_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- CreateIndex
CREATE INDEX `booking_status_view_of_host` ON `booking_status_view`(`generation`, `host_id`, `start_at`, `booking_id`);

-- CreateIndex
CREATE INDEX `booking_status_view_of_space` ON `booking_status_view`(`generation`, `space_id`, `start_at`, `booking_id`);

-- CreateIndex
CREATE INDEX `booking_status_view_of_host_by_status` ON `booking_status_view`(`generation`, `host_id`, `status`, `start_at`, `booking_id`);
