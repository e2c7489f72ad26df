/** @import { Mutation } from './mutation.ts' */

/** @type {readonly Mutation[]} */
export const paymentMutations = [
  {
    name: "the void of a released change's charge: it is made afterwards",
    edits: [
      [
        'subgraphs/payment/src/application/refund-change.ts',
        "if ((await ports.provider.void(change.id)) === 'approved') {",
        "if (((await ports.provider.find(change.id)) ?? { outcome: '' }).outcome === 'approved') {",
      ],
    ],
    tests: 'payment/test/(charge|refund)-change',
  },
  {
    name: "the key of a change's refund: each attempt has another one",
    edits: [
      [
        'subgraphs/payment/src/application/refund-change.ts',
        'await ports.provider.refund(change.bookingId, changeRefundKey(id), change.refundAmount);',
        'await ports.provider.refund(change.bookingId, ports.newId(), change.refundAmount);',
      ],
    ],
    tests: 'payment/test/(charge|refund)-change',
  },
  {
    name: 'the refunds of changes in the balance: a cancellation refunds more than is left',
    edits: [
      [
        'subgraphs/payment/src/adapters/charge-balance.ts',
        'coalesce(sum(c.refund_amount), 0)::int',
        '0 * coalesce(sum(c.refund_amount), 0)::int',
      ],
    ],
    tests: 'payment/test',
  },
  {
    name: 'the suppressed approval: a charge that must be refunded is published as approved',
    edits: [
      [
        'subgraphs/payment/src/adapters/payment-statements.ts',
        'EXISTS (SELECT FROM changed WHERE $11::boolean OR NOT is_owed)',
        'EXISTS (SELECT FROM changed WHERE $11::boolean OR is_owed IS NOT NULL)',
      ],
    ],
    tests: 'payment/test',
  },
  {
    name: "the refund's idempotency key at the provider: each attempt has another one",
    edits: [
      [
        'subgraphs/payment/src/application/cancel-payment.ts',
        'await provider.refund(bookingId, refund.id, refund.amount);',
        'await provider.refund(bookingId, ports.newId(), refund.amount);',
      ],
    ],
    tests: 'payment/test',
  },
  {
    name: "the charge's lease: two requests to the provider for one payment run at once",
    edits: [
      [
        'subgraphs/payment/src/adapters/payment-statements.ts',
        'AND (charging_until IS NULL OR charging_until <= now())',
        '',
      ],
    ],
    tests: 'payment/test',
  },
  {
    name: "the refund's primary key: a booking is refunded twice",
    edits: [
      [
        'prisma/payment/migrations/20261122000000_init/migration.sql',
        `"settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "refund_pkey" PRIMARY KEY ("payment_id")`,
        `"settled_at" TIMESTAMPTZ(3)`,
      ],
      [
        'subgraphs/payment/src/adapters/payment-statements.ts',
        `interval '1 millisecond' FROM owing
   ON CONFLICT (payment_id) DO NOTHING`,
        `interval '1 millisecond' FROM owing`,
      ],
    ],
    tests: 'payment/test',
  },
  {
    name: "payment's version check: a delayed writer overwrites a newer version",
    edits: [
      [
        'subgraphs/payment/src/adapters/payment-statements.ts',
        'WHERE id = $1::uuid AND version = $2\n  RETURNING refund_owed',
        'WHERE id = $1::uuid AND $2::int IS NOT NULL\n  RETURNING refund_owed',
      ],
    ],
    tests: 'payment/test',
  },
  {
    name: 'the cap of goodwill refunds: operators refund more than is left of a charge',
    edits: [
      ['subgraphs/payment/src/domain/goodwill.ts', 'if (amount > left) {', 'if (left < 0) {'],
    ],
    tests: 'payment/test/goodwill|payment/test/refund-payment',
  },
  {
    name: "the charge's lock: concurrent goodwill refunds read the same balance",
    edits: [
      [
        'subgraphs/payment/src/adapters/charge-balance.ts',
        'WHERE booking_id = :bookingId::uuid FOR UPDATE',
        'WHERE booking_id = :bookingId::uuid',
      ],
    ],
    tests: 'payment/test/goodwill-concurrency',
  },
  {
    name: 'the trigger that caps cancellations: they refund what was refunded already',
    edits: [
      [
        'prisma/payment/migrations/20261129004101_changes_of_bookings/migration.sql',
        'IF NEW."amount" > remaining THEN',
        'IF remaining < 0 THEN',
      ],
    ],
    tests: 'payment/test/goodwill|payment/test/refund-payment',
  },
  {
    name: 'the trigger that adds up refunds: the previous release overwrites what was refunded',
    edits: [
      [
        'prisma/payment/migrations/20261129004101_changes_of_bookings/migration.sql',
        'IF NEW."refunded" <> NEW."goodwill" + NEW."refunded_for_changes" + coalesce(',
        'IF FALSE AND NEW."refunded" <> NEW."goodwill" + NEW."refunded_for_changes" + coalesce(',
      ],
    ],
    tests: 'payment/test/goodwill-previous-release',
  },
  {
    name: "a goodwill refund's idempotency key at the provider: each attempt has another one",
    edits: [
      [
        'subgraphs/payment/src/application/refund-payment.ts',
        'await ports.provider.refund(refund.bookingId, refund.id, refund.amount);',
        'await ports.provider.refund(refund.bookingId, ports.newId(), refund.amount);',
      ],
    ],
    tests: 'payment/test/goodwill|payment/test/refund-payment',
  },
  {
    name: 'the wait for a goodwill refund: a cancellation refunds too little when that fails',
    edits: [
      [
        'prisma/payment/migrations/20261129004101_changes_of_bookings/migration.sql',
        'IF is_reserved AND NEW."quoted" IS NOT NULL THEN',
        'IF is_reserved AND NEW."quoted" IS NULL THEN',
      ],
    ],
    tests: 'payment/test/goodwill|payment/test/refund-payment',
  },
];
