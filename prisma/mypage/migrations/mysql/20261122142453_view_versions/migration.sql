-- The twin of migrations/sqlite, written by hand.

-- CreateTable
CREATE TABLE `view_version` (
    `generation` INTEGER NOT NULL,
    `booking_id` VARCHAR(191) NOT NULL,
    `version` INTEGER NOT NULL,
    `customer_id` VARCHAR(255) NULL,
    `status` VARCHAR(191) NULL,
    `space_name` VARCHAR(255) NULL,
    `start_at` DATETIME(3) NULL,
    `end_at` DATETIME(3) NULL,
    `price_amount` INTEGER NULL,
    `currency` VARCHAR(191) NULL,
    `payment_status` VARCHAR(191) NULL,
    `refunded` INTEGER NOT NULL DEFAULT 0,
    `registration_status` VARCHAR(191) NULL,
    `booking_version` INTEGER NOT NULL DEFAULT 0,
    `payment_version` INTEGER NOT NULL DEFAULT 0,
    `registration_version` INTEGER NOT NULL DEFAULT 0,
    `updated_at` DATETIME(3) NOT NULL,
    `projected_at` DATETIME(3) NOT NULL,

    INDEX `view_version_by_age`(`projected_at`),
    PRIMARY KEY (`generation`, `booking_id`, `version`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
