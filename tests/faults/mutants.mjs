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
        'platform/messaging/consumer.ts',
        'const held = new Set(await inbox.held(batch.map(({ id }) => id)));',
        'const held = new Set<string>();',
      ],
    ],
    tests: 'dead-letters',
  },
  {
    name: 'the transient kind of failure: trouble of the infrastructure counts towards parking',
    edits: [
      [
        'platform/messaging/consumer.ts',
        "if (kind === 'transient' || (await countFailure(event, error))) throw error;",
        'if (await countFailure(event, error)) throw error;',
      ],
    ],
    tests: 'dead-letters|redelivery',
  },
  {
    name: 'the SQLSTATEs of transient trouble: a lock timeout poisons an event',
    edits: [['platform/messaging/failures.ts', '|55P03|25006|25P03)$/', '|25P03)$/']],
    tests: 'book/test/failures|redelivery',
  },
  {
    name: 'the not-understood kind of failure: an event of a newer release is parked',
    edits: [
      [
        'platform/messaging/consumer.ts',
        "if (kind === 'not-understood') return watch.notUnderstood(event, error);",
        '',
      ],
    ],
    tests: 'dead-letters|redelivery',
  },
  {
    name: 'what is not understood is not acknowledged: it counts as processed',
    edits: [
      [
        'platform/messaging/consumer.ts',
        "if (kind === 'not-understood') return watch.notUnderstood(event, error);",
        "if (kind === 'not-understood') return void (await deadLetters.noteFailure(event, '', 1));",
      ],
    ],
    tests: 'dead-letters|redelivery',
  },
  {
    name: 'the bound of what may be new: a malformed payload waits for ever and is never seen',
    edits: [
      [
        'platform/messaging/failures.ts',
        "code === 'invalid_value' && typeof valueAt(payload, path) === 'string'",
        "code !== 'custom' || typeof valueAt(payload, path) === 'string'",
      ],
    ],
    tests: 'dead-letters',
  },
  {
    name: 'the schema version: a newer payload is read as if it were known',
    edits: [
      ['platform/messaging/event-payload.ts', 'if (version > present) {', 'if (version < 0) {'],
    ],
    tests: 'event-payload|dead-letters',
  },
  {
    name: 'failures are cleared with the effect: they stay FAILING for ever',
    edits: [
      [
        'platform/messaging/inbox.ts',
        "WHERE event_id IN (SELECT event_id FROM taken) AND state = 'FAILING'",
        "WHERE event_id IN (SELECT event_id FROM taken) AND state = 'REPLAYED'",
      ],
    ],
    tests: 'platform/test/dead-letters',
  },
  {
    name: "mypage's failures are cleared with the effect",
    edits: [
      [
        'subgraphs/mypage/src/adapters/view-projection.ts',
        'if (clearFailures && failing.length > 0) {',
        'if (clearFailures && failing.length < 0) {',
      ],
    ],
    tests: 'prisma-dead-letters',
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
    name: 'the exclusion constraint of slot holds: overlapping holds of two owners',
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
        'prisma/book/migrations/20261124224500_slot_holds/migration.sql',
        'IF EXISTS (SELECT FROM "booking" WHERE "id" = NEW."id" OR',
        'IF FALSE AND EXISTS (SELECT FROM "booking" WHERE "id" = NEW."id" OR',
      ],
    ],
    tests: 'prisma-booking-store',
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
        'platform/messaging/outbox.ts',
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
        'platform/messaging/relay.ts',
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
    name: 'the silent approval: a charge that is owed back is published as approved',
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
    name: "the refund's key at the provider: another one with each attempt",
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
    name: "the charge's lease: two calls for one key at once",
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
    name: "the refund's unique key: a booking is refunded twice",
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
    name: "book's version guard: a writer that slept overwrites what happened since",
    edits: [
      [
        'subgraphs/book/src/adapters/booking-statements.ts',
        'WHERE id = :id::uuid AND version = :previousVersion',
        'WHERE id = :id::uuid AND :previousVersion::int IS NOT NULL',
      ],
    ],
    tests: 'booking-store|faulty-workers',
  },
  ...[
    ['payment', 'payment-statements', 'payment/test', 1, '\n  RETURNING refund_owed'],
    ['space', 'prisma-registration-store', 'registration-store', 9],
  ].map(([context, file, tests, first = 1, rest = '']) => ({
    name: `${context}'s version guard: a writer that slept overwrites what happened since`,
    edits: [
      [
        `subgraphs/${context}/src/adapters/${file}.ts`,
        `WHERE id = $${first}::uuid AND version = $${Number(first) + 1}${rest}`,
        `WHERE id = $${first}::uuid AND $${Number(first) + 1}::int IS NOT NULL${rest}`,
      ],
    ],
    tests,
  })),
  {
    name: 'the budget of queries: a stranger may ask for any amount',
    edits: [
      [
        'router/src/admission/counters.ts',
        'if (minute.spent + points > limit) {',
        'if (minute.spent + points < 0) {',
      ],
    ],
    tests: 'router/test/rates',
  },
  {
    name: 'the limit of WebSockets: one address may open any number',
    edits: [
      [
        'router/src/subscriptions/connection-limits.ts',
        'if (own >= limits.perAddress)',
        'if (own < 0)',
      ],
    ],
    tests: 'websocket-limits',
  },
  {
    name: 'the switch of generations: a repaired view has a version that subscribers know already',
    edits: [
      [
        'subgraphs/mypage/src/adapters/view-versions-raise.ts',
        'if (known === undefined || version > known) continue;',
        'if (known !== undefined || version > 0) continue;',
      ],
    ],
    tests: 'rebuild-views',
  },
  {
    name: "the fence: a payment's approval alone registers, also of a booking that has expired",
    edits: [
      [
        'subgraphs/space/src/adapters/prisma-registration-store.ts',
        'AND payment_id IS NOT NULL),',
        'OR payment_id IS NOT NULL),',
      ],
    ],
    tests: 'space/test/fencing',
  },
  {
    name: 'the proof of a rival: a registration in the way is taken for a booking that stands',
    edits: [
      [
        'subgraphs/space/src/adapters/prisma-registration-store.ts',
        "return rival?.found ? { type: 'overlap', use } : { type: 'contested' };",
        "return rival ? { type: 'overlap', use } : { type: 'contested' };",
      ],
    ],
    tests: 'space/test/fencing',
  },
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
        'keepVersions: true',
        'keepVersions: false',
      ],
    ],
    tests: 'prisma-view-store',
  },
  {
    name: 'the smaller batches after a write conflict: a backlog waits for the next delivery',
    edits: [
      [
        'subgraphs/mypage/src/adapters/view-projection.ts',
        "return failureKind(error) === 'transient' && !isWriteConflict(error);",
        "return failureKind(error) === 'transient';",
      ],
    ],
    tests: 'batch-projector',
  },
  {
    name: 'the drain: a service that stops still says that it is ready',
    edits: [
      [
        'platform/http/http-server.ts',
        "if (draining.aborted) return reply.code(503).send({ status: 'draining' });",
        '',
      ],
    ],
    tests: 'platform/test/drain',
  },
  {
    name: 'the drain: clients keep the connections of a service that stops',
    edits: [
      [
        'platform/http/http-server.ts',
        "if (draining.aborted) reply.header('connection', 'close');",
        '',
      ],
    ],
    tests: 'platform/test/drain',
  },
  {
    name: 'readiness asks the database alone: on the pool of requests it fails when that is busy',
    edits: [
      [
        'subgraphs/space/src/main.ts',
        'health: { ready: () => probe.check(), draining },',
        "health: { ready: () => database.requests.query('SELECT 1'), draining },",
      ],
    ],
    tests: 'subgraphs/space/test/busy-pools',
  },
  {
    name: "the workers' own pool: blocked consumers keep requests waiting",
    edits: [
      [
        'platform/database/postgres.ts',
        'const workers = openPostgres(connectionString, logger, WORKER_CONNECTIONS);',
        'const workers = requests;',
      ],
      [
        'platform/database/postgres.ts',
        'await Promise.all([requests.end(), workers.end()])',
        'await requests.end()',
      ],
    ],
    tests: 'platform/test/postgres|subgraphs/space/test/busy-pools',
  },
  {
    name: "the read-only server: the pool keeps a former primary's connections",
    edits: [['platform/database/postgres.ts', '  leaveReadOnlyServer(pool, logger);\n', '']],
    tests: 'platform/test/postgres',
  },
  {
    name: 'the retry: a mutation is sent a second time',
    edits: [
      [
        'router/src/subgraph-client.ts',
        'const http = isMutation(query) ? this.#http : this.#reads;',
        'const http = this.#reads;',
      ],
    ],
    tests: 'router/test/subgraph-client',
  },
  {
    name: "the database's clock: a replica whose clock is wrong writes holds by it",
    edits: [
      [
        'subgraphs/book/src/adapters/hold-statements.ts',
        "now() + :holdMs::int * interval '1 ms'",
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
    name: 'the lock of the customer: requests at once hold more unpaid slots than allowed',
    edits: [
      [
        'prisma/book/migrations/20261124150000_booking_deadlines/migration.sql',
        'PERFORM pg_advisory_xact_lock(hashtextextended("customer", 0));',
        '',
      ],
    ],
    tests: 'prisma-booking-store',
  },
  {
    name: 'the deadline: a booking that no event moves on stays as it is, unseen',
    edits: [
      [
        'prisma/book/migrations/20261124150000_booking_deadlines/migration.sql',
        `NEW."next_check_at" := CASE WHEN "is_passing" THEN now() + interval '30 seconds' END;`,
        '',
      ],
    ],
    tests: 'check-overdue',
  },
  {
    name: 'the newer database: an older version refuses it',
    edits: [
      [
        'platform/database/migrate/migrations.ts',
        '} else if (newest !== undefined && name > newest) {',
        '} else if (newest === undefined) {',
      ],
    ],
    tests: 'platform/test/migrate\\.',
  },
  {
    name: 'the incompatible migration: it is applied unasked',
    edits: [
      [
        'platform/database/migrate.ts',
        'if (!isFirstInstallation) refuseUnlessAllowed(plan.pending, allowIncompatible);',
        '',
      ],
    ],
    tests: 'platform/test/migrate\\.',
  },
  {
    name: "the migration's lock timeout: everything waits behind it",
    edits: [
      [
        'platform/database/migrate/postgres.ts',
        'const { pid } = rows[0];\n  await setLockTimeout(lockTimeoutMs);',
        'const { pid } = rows[0];',
      ],
    ],
    tests: 'platform/test/migrate\\.',
  },
];
