-- CreateTable
CREATE TABLE `dead_letter` (
    `event_id` VARCHAR(191) NOT NULL,
    `state` VARCHAR(191) NOT NULL,
    `event` JSON NOT NULL,
    `failures` INTEGER NOT NULL,
    `error` TEXT NOT NULL,
    `first_failed_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    `last_failed_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    `settled_at` DATETIME(3) NULL,
    `settled_by` VARCHAR(255) NULL,
    `reason` TEXT NULL,

    INDEX `dead_letter_state_event_id_idx`(`state`, `event_id`),
    PRIMARY KEY (`event_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
