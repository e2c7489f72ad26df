// @ts-check
/** @import { Mutation } from './mutation.ts' */

/** @type {readonly Mutation[]} */
export const paymentMutations = [
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
];
