// What keeps bookings from being lost or doubled, each piece with the edits that take it away. An
// edit's text must occur exactly once in its file, so that this list cannot grow stale unnoticed.
// `tests`: a pattern of the test files that are to notice it first; `chaos`: seeds that do.

/** @type {{ name: string, edits: [file: string, text: string, replacement: string][], tests: string }[]} */
export const mutants = [
  {
    name: 'the refusal to erase a customer whose booking is not over',
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
    name: 'the audit log lets erasure change who acted, and nothing else',
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
    name: "the consumer's inbox check: a duplicate is handled again",
    edits: [
      [
        'platform/src/consume.ts',
        'const held = new Set(await inbox.held(parcel.map(({ id }) => id)));',
        'const held = new Set<string>();',
      ],
    ],
    tests: 'dead-letters',
  },
  {
    name: "mypage's inbox check: an event counts twice",
    edits: [
      [
        'subgraphs/mypage/src/adapters/view-projection.ts',
        'const fresh = events.filter(({ id }) => !known.has(id) && known.add(id));',
        'const fresh = [...events];',
      ],
    ],
    tests: 'prisma-view-store',
  },
  {
    name: 'the exclusion constraint: overlapping bookings',
    edits: [
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
    name: 'the lease: two relays claim the same event',
    edits: [
      [
        'platform/src/outbox.ts',
        "next_attempt_at = now() + interval '1 second'\n            *",
        "next_attempt_at = now() + interval '0 seconds'\n            *",
      ],
    ],
    tests: 'relay',
  },
  {
    name: 'the acknowledgement: what was handed to the queue counts as taken',
    edits: [
      [
        'platform/src/relay.ts',
        'await transport.send(messages);',
        `await transport.send(messages);
      for (const { queue, event } of messages) {
        await acknowledgeEvents(pool, queue.split('.').at(-1) ?? '', [event.id]);
      }`,
      ],
    ],
    tests: 'relay',
  },
  {
    name: "the refund's unique key: a booking is refunded twice",
    edits: [
      [
        'prisma/payment/migrations/20261122000000_init/migration.sql',
        `"settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "refund_pkey" PRIMARY KEY ("payment_id")`,
        `"settled_at" TIMESTAMPTZ(3)`,
      ],
      [
        'subgraphs/payment/src/adapters/prisma-payment-store.ts',
        `FROM payment WHERE booking_id = $1::uuid AND status <> 'VOIDED'
   ON CONFLICT (payment_id) DO NOTHING`,
        `FROM payment WHERE booking_id = $1::uuid AND status <> 'VOIDED'`,
      ],
    ],
    tests: 'payment/test',
  },
  ...[
    ['book', 'prisma-booking-store', 'booking-store|faulty-workers'],
    ['payment', 'prisma-payment-store', 'payment/test'],
    ['space', 'prisma-registration-store', 'registration-store'],
  ].map(([context, file, tests]) => ({
    name: `${context}'s version guard: a writer that slept overwrites what happened since`,
    edits: [
      [
        `subgraphs/${context}/src/adapters/${file}.ts`,
        'WHERE id = $1::uuid AND version = $2',
        'WHERE id = $1::uuid AND $2::int IS NOT NULL',
      ],
    ],
    tests,
  })),
  {
    name: "mypage's version guard: one of two writers' events is lost from the view",
    edits: [
      [
        'subgraphs/mypage/src/adapters/view-projection.ts',
        "'(generation = ? AND booking_id = ? AND version = ?)'",
        "'(generation = ? AND booking_id = ? AND ? > 0)'",
      ],
      // The key of the kept versions would stand in for it.
      [
        'subgraphs/mypage/src/adapters/prisma-view-store.ts',
        '{ keepVersions: true }',
        '{ keepVersions: false }',
      ],
    ],
    tests: 'prisma-view-store',
  },
];
