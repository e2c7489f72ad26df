import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { Databases } from './snapshot.ts';

const LOOK_EVERY_MS = 300;
const HASTEN_EVERY_MS = 1_500;
/** More would look to the system like an event that nobody can digest. */
const HASTENED_AT_MOST = 4;

const UNACKNOWLEDGED = `SELECT 'event' AS what, id::text, format('%s, attempt %s, awaits %s, due in %s s',
    type, attempts, awaiting, round(extract(epoch FROM next_attempt_at - now()))) AS state
  FROM outbox WHERE awaiting <> '{}'`;
const STAMP = `SELECT count(*) || '/' || coalesce(sum(version), 0) AS stamp FROM`;

/** What is not finished in each database, and a stamp that changes with every change. */
const LOOKS: Record<keyof Databases, { unfinished: string; stamp: string }> = {
  book: {
    unfinished: `${UNACKNOWLEDGED} UNION ALL
      SELECT 'booking', id::text, format('%s, attempt %s, payment asked in %s s', status,
        payment_attempts, round(extract(epoch FROM next_payment_attempt_at - now())))
        FROM booking WHERE status IN ('REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'CANCELLING')`,
    stamp: `${STAMP} booking`,
  },
  payment: {
    unfinished: `${UNACKNOWLEDGED} UNION ALL
      SELECT 'payment', booking_id::text, status::text FROM payment WHERE status = 'PENDING'
      UNION ALL
      SELECT 'refund', payment_id::text, format('attempt %s, due in %s s', attempts,
        round(extract(epoch FROM next_attempt_at - now()))) FROM refund WHERE settled_at IS NULL`,
    stamp: `${STAMP} payment`,
  },
  space: { unfinished: UNACKNOWLEDGED, stamp: `${STAMP} registration` },
};

/** Lets the time until the next attempt pass at once; what is under way stays under way. */
const HASTEN: Record<keyof Databases, string> = {
  book: `UPDATE outbox SET next_attempt_at = now() WHERE awaiting <> '{}' AND next_attempt_at > now();
    UPDATE booking SET next_payment_attempt_at = now()
     WHERE status IN ('REQUESTED', 'PAYMENT_DEFERRED') AND next_payment_attempt_at > now()`,
  payment: `UPDATE outbox SET next_attempt_at = now() WHERE awaiting <> '{}' AND next_attempt_at > now();
    UPDATE refund SET next_attempt_at = now() WHERE settled_at IS NULL AND next_attempt_at > now()`,
  space: `UPDATE outbox SET next_attempt_at = now() WHERE awaiting <> '{}' AND next_attempt_at > now()`,
};

export interface Quiet {
  isQuiet: boolean;
  /** What is still not finished. */
  stuck: string[];
}

/**
 * Waits until nothing is under way any more, in all databases, twice in a row without a change. With
 * `hasten` the pauses before next attempts are cut short: so they cost no time, and none is lost.
 */
export async function untilQuiet(
  databases: Databases,
  options: { withinMs: number; hasten: boolean; signal: AbortSignal },
): Promise<Quiet> {
  const pools = (['book', 'payment', 'space'] as const).map((name) => {
    const pool = new pg.Pool({ connectionString: databases[name], max: 1 });
    pool.on('error', () => {});
    return [name, pool] as const;
  });
  const deadline = Date.now() + options.withinMs;
  let hastenAt = Date.now() + HASTEN_EVERY_MS;
  let hastened = 0;
  let before = '';
  try {
    for (;;) {
      options.signal.throwIfAborted();
      const { stuck, stamp } = await look(pools);
      if (stuck.length === 0 && stamp === before) return { isQuiet: true, stuck };
      before = stuck.length === 0 ? stamp : '';
      if (Date.now() > deadline) return { isQuiet: false, stuck };
      if (options.hasten && hastened < HASTENED_AT_MOST && Date.now() >= hastenAt) {
        await Promise.all(pools.map(([name, pool]) => pool.query(HASTEN[name])));
        hastened += 1;
        hastenAt = Date.now() + HASTEN_EVERY_MS;
      }
      await wait(LOOK_EVERY_MS);
    }
  } finally {
    await Promise.all(pools.map(([, pool]) => pool.end()));
  }
}

async function look(pools: readonly (readonly [keyof Databases, pg.Pool])[]) {
  const stuck: string[] = [];
  const stamps: string[] = [];
  for (const [name, pool] of pools) {
    type Row = { what: string; id: string; state: string };
    const { rows } = await pool.query<Row>(LOOKS[name].unfinished);
    stuck.push(...rows.map(({ what, id, state }) => `${name}: ${what} ${id}: ${state}`));
    stamps.push((await pool.query<{ stamp: string }>(LOOKS[name].stamp)).rows[0]?.stamp ?? '');
  }
  return { stuck, stamp: stamps.join(' ') };
}
