import { setTimeout as wait } from 'node:timers/promises';
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
          for (const context of ['book', 'payment', 'space'] as const) {
            const statement = REDELIVER[context];
            redelivered += await executeStatement(postgres.urls[context], statement, [
              share,
              position,
            ]);
          }
          return redelivered > 0;
        },
      };
    },
  },
];

/**
 * Makes acknowledged events due again for `consumers`, an SQL expression; at most 300. $1 is the
 * share of events, $2 the position, from 0 to 1, of the selected range of their ids.
 */
const redeliver = (consumers: string) => `
  UPDATE outbox SET awaiting = ${consumers}, next_attempt_at = now(), attempts = 1
   WHERE id IN (SELECT id FROM outbox
                 WHERE awaiting = '{}' AND ('x' || right(id::text, 4))::bit(16)::int / 65536.0
                   BETWEEN $2::float * (1 - $1::float) AND $2::float * (1 - $1::float) + $1::float
                 LIMIT 300 FOR UPDATE SKIP LOCKED)`;

const REDELIVER = {
  book: redeliver(`CASE WHEN type IN ('Booked', 'BookingPaid') THEN '{mypage,space}'::text[]
    WHEN type = 'BookingStatusChanged' THEN '{mypage}' ELSE '{mypage,payment,space}' END`),
  payment: redeliver(`CASE type WHEN 'PaymentApproved' THEN '{space,mypage}'::text[]
    WHEN 'PaymentDeclined' THEN '{mypage}' ELSE '{book,mypage}' END`),
  space: redeliver(`CASE type WHEN 'SpaceListed' THEN '{book}'::text[]
    ELSE '{book,mypage}' END`),
};
