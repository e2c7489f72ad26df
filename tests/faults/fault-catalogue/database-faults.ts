import { setTimeout as wait } from 'node:timers/promises';
import { findConsumers, topology } from '#contracts/topology.ts';
import { executeStatement } from './execute-statement.ts';
import type { Fault } from './fault.ts';

/** Database servers crash and close connections; acknowledgements of events are lost. */
export const databaseFaults: readonly Fault[] = [
  {
    name: 'backends-terminated',
    weight: 6,
    draw(random) {
      const pauses = Array.from({ length: random.between(1, 3) }, () => random.between(50, 700));
      return {
        description: `every connection to PostgreSQL is terminated ${pauses.length} times`,
        durationMs: pauses.reduce((sum, ms) => sum + ms, 0),
        async run({ postgres }) {
          let terminated = 0;
          for (const ms of pauses) {
            terminated += await executeStatement(
              postgres.adminUrl,
              `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
            );
            await wait(ms);
          }
          return terminated > 0;
        },
      };
    },
  },
  {
    name: 'postgres-crash',
    weight: 3,
    draw: () => ({
      description: 'kill -9 every process of PostgreSQL',
      durationMs: 1_500,
      async run({ postgres }) {
        postgres.crash();
        return true;
      },
    }),
  },
  {
    name: 'mariadb-crash',
    weight: 3,
    profile: 'servers',
    draw: () => ({
      description: 'kill -9 MariaDB',
      durationMs: 1_500,
      async run({ mariaDb }) {
        mariaDb?.kill();
        return mariaDb !== undefined;
      },
    }),
  },
  {
    // As if a relay had sent them some time ago and their acknowledgement had been lost.
    name: 'redelivered',
    weight: 4,
    draw(random) {
      const share = random.pick([0.02, 0.1]);
      const position = random.between(0, 1_000_000) / 1_000_000;
      return {
        description: `${share * 100} % of the acknowledged events are redelivered`,
        durationMs: 200,
        async run({ postgres }) {
          let redelivered = 0;
          for (const context of PUBLISHERS) {
            redelivered += await executeStatement(postgres.urls[context], REDELIVER, [
              share,
              position,
              CONSUMERS,
            ]);
          }
          return redelivered > 0;
        },
      };
    },
  },
];

/**
 * Makes acknowledged events due again for all their consumers; at most 300. $1 is the share of events,
 * $2 the position, from 0 to 1, of the selected range of their ids, $3 the consumers by type.
 */
const REDELIVER = `
  UPDATE outbox SET awaiting = ARRAY(SELECT jsonb_array_elements_text($3::jsonb -> type)),
         next_attempt_at = now(), attempts = 1
   WHERE id IN (SELECT id FROM outbox
                 WHERE awaiting = '{}' AND ('x' || right(id::text, 4))::bit(16)::int / 65536.0
                   BETWEEN $2::float * (1 - $1::float) AND $2::float * (1 - $1::float) + $1::float
                 LIMIT 300 FOR UPDATE SKIP LOCKED)`;

const PUBLISHERS = ['book', 'payment', 'space'] as const;
const CONSUMERS = JSON.stringify(
  Object.fromEntries(
    PUBLISHERS.flatMap((context) => Object.keys(topology[context].publishes)).map((type) => [
      type,
      findConsumers(type),
    ]),
  ),
);
