import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { Fault } from './fault.ts';

const CONTEXTS = ['book', 'payment', 'space'] as const;

/** What happens to databases: they crash, drop everybody, and tell things a second time. */
export const databaseFaults: readonly Fault[] = [
  {
    name: 'backends-terminated',
    weight: 6,
    draw(random) {
      const pauses = Array.from({ length: random.between(1, 3) }, () => random.between(50, 700));
      return {
        what: `every connection to PostgreSQL is terminated ${pauses.length} times`,
        ms: pauses.reduce((sum, ms) => sum + ms, 0),
        async run({ postgres }) {
          let hit = 0;
          for (const ms of pauses) {
            hit += await inDatabase(
              postgres.adminUrl,
              `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
            );
            await wait(ms);
          }
          return hit > 0;
        },
      };
    },
  },
  {
    name: 'postgres-crash',
    weight: 3,
    draw: () => ({
      what: 'kill -9 every process of PostgreSQL',
      ms: 1_500,
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
      what: 'kill -9 MariaDB',
      ms: 1_500,
      async run({ mariaDb }) {
        mariaDb?.kill();
        return mariaDb !== undefined;
      },
    }),
  },
  {
    // As if a relay had sent them, and the acknowledgement had been lost, some time ago.
    name: 'told-again',
    weight: 4,
    draw(random) {
      const share = random.pick([0.02, 0.1]);
      const moment = random.between(0, 1_000_000) / 1_000_000;
      return {
        what: `events that were acknowledged are sent again (${share * 100} %)`,
        ms: 200,
        async run({ postgres }) {
          let hit = 0;
          for (const context of CONTEXTS) {
            hit += await inDatabase(postgres.urls[context], TOLD_AGAIN[context], [share, moment]);
          }
          return hit > 0;
        },
      };
    },
  },
];

/** Takes every so-manieth acknowledged event back to all consumers of its type, 300 at most. */
const tellAgain = (awaiting: string) => `
  UPDATE outbox SET awaiting = ${awaiting}, next_attempt_at = now(), attempts = 1
   WHERE id IN (SELECT id FROM outbox
                 WHERE awaiting = '{}' AND ('x' || right(id::text, 4))::bit(16)::int / 65536.0
                   BETWEEN $2::float * (1 - $1::float) AND $2::float * (1 - $1::float) + $1::float
                 LIMIT 300 FOR UPDATE SKIP LOCKED)`;

const TOLD_AGAIN = {
  book: tellAgain(`CASE WHEN type IN ('Booked', 'BookingPaid') THEN '{mypage,space}'::text[]
    WHEN type = 'BookingStatusChanged' THEN '{mypage}' ELSE '{mypage,payment,space}' END`),
  payment: tellAgain(`CASE type WHEN 'PaymentApproved' THEN '{space,mypage}'::text[]
    WHEN 'PaymentDeclined' THEN '{mypage}' ELSE '{book,mypage}' END`),
  space: tellAgain(`CASE type WHEN 'SpaceListed' THEN '{book}'::text[]
    ELSE '{book,mypage}' END`),
};

/** Runs one statement; answers how many rows it touched. */
export async function inDatabase(url: string, sql: string, values?: unknown[]): Promise<number> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql, values)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
