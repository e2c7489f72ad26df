-- The twin of migrations/sqlite, written by hand. The collation is binary because ids and users that
-- differ by case or accent differ.

-- CreateTable
CREATE TABLE `booking_status_view` (
    `booking_id` VARCHAR(191) NOT NULL,
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
    `version` INTEGER NOT NULL,
    `updated_at` DATETIME(3) NOT NULL,

    INDEX `booking_status_view_customer_id_start_at_booking_id_idx`(`customer_id`, `start_at`, `booking_id`),
    PRIMARY KEY (`booking_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- CreateTable
CREATE TABLE `status_change` (
    `booking_id` VARCHAR(191) NOT NULL,
    `booking_version` INTEGER NOT NULL,
    `status` VARCHAR(191) NOT NULL,
    `at` DATETIME(3) NOT NULL,

    PRIMARY KEY (`booking_id`, `booking_version`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- CreateTable
CREATE TABLE `inbox` (
    `event_id` VARCHAR(191) NOT NULL,
    `received_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),

    PRIMARY KEY (`event_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
