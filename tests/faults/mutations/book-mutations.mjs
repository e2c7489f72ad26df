/** @import { Mutation } from './mutation.ts' */

/** @type {readonly Mutation[]} */
export const bookMutations = [
  {
    name: 'the hold of the old slot until the registration has moved: it is free at once',
    edits: [
      [
        'subgraphs/book/src/adapters/change-statements.ts',
        "UPDATE booking_change SET state = 'APPLIED', ended_at = now(), next_attempt_at = NULL",
        "UPDATE slot_hold SET live = FALSE WHERE booking_id = :bookingId::uuid AND change_id IS NULL AND live), renewed AS (UPDATE booking_change SET state = 'APPLIED', ended_at = now(), next_attempt_at = NULL",
      ],
    ],
    tests: 'reschedule-booking',
  },
  {
    name: 'the end of a pending change with the cancellation: its charge is kept',
    edits: [
      [
        'subgraphs/book/src/adapters/prisma-booking-store.ts',
        "return row && { change: toChange(row), state: 'EXPIRED' };",
        'return row && undefined;',
      ],
    ],
    tests: 'reschedule-booking',
  },
  {
    name: 'the comparison of versions by a change: a cancellation at the same time is overwritten',
    edits: [
      [
        'subgraphs/book/src/adapters/change-statements.ts',
        'WHERE id = :bookingId::uuid AND version = :previousVersion::int AND change_id = :changeId::uuid\n  RETURNING id),\n   applied AS',
        'WHERE id = :bookingId::uuid AND version >= :previousVersion::int\n  RETURNING id),\n   applied AS',
      ],
    ],
    tests: 'reschedule-booking',
  },
  {
    name: 'the release of an expired change: a charge that is made late is kept',
    edits: [
      [
        'subgraphs/book/src/adapters/save-booking.ts',
        "ending.state === 'EXPIRED' ? toReleaseEvents(next, ending.change) : []",
        "ending.state === 'DECLINED' ? toReleaseEvents(next, ending.change) : []",
      ],
    ],
    tests: 'reschedule-booking',
  },
  {
    name: 'the refusal to erase a customer with an unfinished booking',
    edits: [
      [
        'subgraphs/book/src/adapters/customer-erasure.ts',
        '    await refuseIfOpen(db, customerId);',
        '',
      ],
    ],
    tests: 'customer-erasure',
  },
  {
    name: 'the comparison of audit entries by the trigger: an erasure may change more than the user',
    edits: [
      [
        'prisma/book/migrations/20261124154500_customer_erasure/migration.sql',
        "\n       AND to_jsonb(NEW) - 'user_id' = to_jsonb(OLD) - 'user_id' THEN",
        ' THEN',
      ],
    ],
    tests: 'customer-erasure',
  },
  {
    name: 'the exclusion constraint of slot holds: two owners hold one slot',
    edits: [
      [
        'prisma/book/migrations/20261124224500_slot_holds/migration.sql',
        `ALTER TABLE "slot_hold" ADD CONSTRAINT "slot_hold_no_overlap"
    EXCLUDE USING gist ("space_id" WITH =, tstzrange("start_at", "end_at", '[)') WITH &&,
                        "owner_id" WITH <>) WHERE ("live");`,
        '',
      ],
    ],
    tests: 'prisma-booking-store',
  },
  {
    name: 'the check of the key before the hold: a repeated request leaves a hold behind',
    edits: [
      [
        'prisma/book/migrations/20261127214806_approval_and_blocks/migration.sql',
        'IF EXISTS (SELECT FROM "booking" WHERE "id" = NEW."id" OR',
        'IF FALSE AND EXISTS (SELECT FROM "booking" WHERE "id" = NEW."id" OR',
      ],
    ],
    tests: 'prisma-booking-store',
  },
  {
    // Each of the two refuses the overlap alone, so that the previous release may run next to this one.
    name: 'both exclusion constraints: live bookings overlap',
    edits: [
      [
        'prisma/book/migrations/20261124224500_slot_holds/migration.sql',
        `ALTER TABLE "slot_hold" ADD CONSTRAINT "slot_hold_no_overlap"
    EXCLUDE USING gist ("space_id" WITH =, tstzrange("start_at", "end_at", '[)') WITH &&,
                        "owner_id" WITH <>) WHERE ("live");`,
        '',
      ],
      [
        'prisma/book/migrations/20261122000000_init/migration.sql',
        `ALTER TABLE "booking" ADD CONSTRAINT "booking_no_overlap"
    EXCLUDE USING gist ("space_id" WITH =, tstzrange("start_at", "end_at", '[)') WITH &&) WHERE ("live");`,
        '',
      ],
    ],
    tests: 'prisma-booking-store',
  },
  {
    name: "the database's clock: a replica whose clock is wrong sets wrong deadlines of holds",
    edits: [
      [
        'subgraphs/book/src/adapters/hold-statements.ts',
        "now() + :holdMs::bigint * interval '1 ms'",
        ":requestedAt::timestamptz + :holdMs::int * interval '1 ms'",
      ],
      [
        'subgraphs/book/src/adapters/booking-rows.ts',
        'holdMs: state.',
        'requestedAt: state.requestedAt, holdMs: state.',
      ],
    ],
    tests: 'prisma-booking-store',
  },
  {
    name: "the customer's advisory lock: concurrent requests exceed the limit of unpaid holds",
    edits: [
      [
        'prisma/book/migrations/20261129003325_rescheduling/migration.sql',
        'PERFORM pg_advisory_xact_lock(hashtextextended("customer", 0));',
        '',
      ],
    ],
    tests: 'prisma-booking-store',
  },
  {
    name: 'the deadline of a passing status: a stuck booking is never checked',
    edits: [
      [
        'prisma/book/migrations/20261127214806_approval_and_blocks/migration.sql',
        `NEW."next_check_at" := CASE WHEN "is_passing" THEN now() + interval '30 seconds' END;`,
        '',
      ],
    ],
    tests: 'check-overdue',
  },
  {
    name: "book's version check: a delayed writer overwrites a newer version",
    edits: [
      [
        'subgraphs/book/src/adapters/booking-statements.ts',
        'WHERE id = :id::uuid AND version = :previousVersion',
        'WHERE id = :id::uuid AND :previousVersion::int IS NOT NULL',
      ],
    ],
    tests: 'booking-store|faulty-workers',
  },
  {
    name: 'the deadline of an approval: a host approves after it',
    edits: [
      [
        'subgraphs/book/src/domain/booking.ts',
        "if (now >= this.state.holdExpiresAt) return this.illegal('approve');",
        '',
      ],
    ],
    tests: 'decide-booking|booking/request',
  },
  {
    name: 'the repeated approval: the payment is requested for each',
    edits: [
      [
        'subgraphs/book/src/application/decide-booking.ts',
        "if ('type' in decided || decided.isRepeated) return decided;",
        "if ('type' in decided) return decided;",
      ],
    ],
    tests: 'decide-booking',
  },
  {
    name: 'the buffers in the hold: the time around a booking is free',
    edits: [
      [
        'prisma/book/migrations/20261127214806_approval_and_blocks/migration.sql',
        `VALUES (NEW."space_id", NEW."id", NEW."id",
            NEW."start_at" - NEW."buffer_before_minutes" * interval '1 minute',`,
        `VALUES (NEW."space_id", NEW."id", NEW."id",
            NEW."start_at",`,
      ],
    ],
    tests: 'postgres-block-store',
  },
  {
    name: 'the hold of a block: a host closes a time that is booked',
    edits: [
      [
        'subgraphs/book/src/adapters/postgres-block-store.ts',
        ':createdBy, :idempotencyKey, 1, :removedAt::timestamptz FROM held',
        ':createdBy, :idempotencyKey, 1, :removedAt::timestamptz FROM (SELECT :id::uuid AS owner_id) AS held',
      ],
    ],
    tests: 'postgres-block-store',
  },
  {
    name: 'the lock of the blocks of a space: two requests at once exceed their number',
    edits: [
      [
        'prisma/book/migrations/20261127214806_approval_and_blocks/migration.sql',
        'PERFORM pg_advisory_xact_lock(hashtextextended("space"::text, 1));',
        '',
      ],
    ],
    tests: 'postgres-block-store',
  },
  {
    name: 'the cap of a refund by goodwill: more is quoted than what is left of the charge',
    edits: [
      [
        'subgraphs/book/src/domain/booking.ts',
        'step.refund.amount > left.amount ? { ...step, refund: left } : step',
        'step',
      ],
    ],
    tests: 'booking/refund',
  },
];
