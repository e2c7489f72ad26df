import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { CONTEXTS, type ContextUrls } from './snapshot-tables.ts';

const POLL_INTERVAL_MS = 300;
const HASTEN_INTERVAL_MS = 1_500;
/** Each attempt that fails counts towards parking: more of them could park a healthy event. */
const MAX_HASTENINGS = 4;

const UNACKNOWLEDGED = `SELECT 'event' AS what, id::text, format('%s, attempt %s, awaits %s, due in %s s',
    type, attempts, awaiting, round(extract(epoch FROM next_attempt_at - now()))) AS state
  FROM outbox WHERE awaiting <> '{}'`;
const STAMP = `SELECT count(*) || '/' || coalesce(sum(version), 0) AS stamp FROM`;

/**
 * Selects what is unfinished in each database, and a stamp that changes with every change. A booking may
 * await its host's approval for longer than a run.
 */
const STATE_QUERIES: Record<keyof ContextUrls, { unfinished: string; stamp: string }> = {
  book: {
    unfinished: `${UNACKNOWLEDGED} UNION ALL
      SELECT 'booking', id::text, format('%s, attempt %s, next payment attempt in %s s', status,
        payment_attempts, round(extract(epoch FROM next_payment_attempt_at - now())))
        FROM booking WHERE status IN ('REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'CANCELLING')
      UNION ALL
      SELECT 'booking', id::text, format('its change %s awaits %s', change_id,
        CASE WHEN change_version IS NULL THEN 'its payment' ELSE 'the registration' END)
        FROM booking WHERE change_id IS NOT NULL
      UNION ALL
      SELECT 'change', id::text, format('attempt %s, due in %s s', attempts,
        round(extract(epoch FROM next_attempt_at - now()))) FROM booking_change
        WHERE state = 'PENDING'`,
    stamp: `${STAMP} booking`,
  },
  payment: {
    unfinished: `${UNACKNOWLEDGED} UNION ALL
      SELECT 'payment', booking_id::text, status::text FROM payment WHERE status = 'PENDING'
      UNION ALL
      SELECT 'refund', payment_id::text, format('attempt %s, due in %s s', attempts,
        round(extract(epoch FROM next_attempt_at - now()))) FROM refund WHERE settled_at IS NULL
      UNION ALL
      SELECT 'goodwill refund', id::text, format('attempt %s, due in %s s', attempts,
        round(extract(epoch FROM next_attempt_at - now()))) FROM goodwill_refund
        WHERE settled_at IS NULL AND failed_at IS NULL
      UNION ALL
      SELECT 'change', id::text, format('charge %s, refund of %s, attempt %s, due in %s s',
        charge_status, refund_amount, attempts, round(extract(epoch FROM next_attempt_at - now())))
        FROM payment_change WHERE charge_status = 'PENDING' OR next_attempt_at IS NOT NULL
          OR (refund_amount IS NOT NULL AND settled_at IS NULL AND failed_at IS NULL)`,
    stamp: `${STAMP} payment`,
  },
  space: { unfinished: UNACKNOWLEDGED, stamp: `${STAMP} registration` },
};

/** Makes every next attempt due now; attempts that are running are left alone. */
const HASTEN: Record<keyof ContextUrls, string> = {
  book: `UPDATE outbox SET next_attempt_at = now() WHERE awaiting <> '{}' AND next_attempt_at > now();
    UPDATE booking SET next_payment_attempt_at = now()
     WHERE status IN ('REQUESTED', 'PAYMENT_DEFERRED') AND next_payment_attempt_at > now();
    UPDATE booking_change SET next_attempt_at = now() WHERE next_attempt_at > now()`,
  payment: `UPDATE outbox SET next_attempt_at = now() WHERE awaiting <> '{}' AND next_attempt_at > now();
    UPDATE refund SET next_attempt_at = now() WHERE settled_at IS NULL AND next_attempt_at > now();
    UPDATE goodwill_refund SET next_attempt_at = now() WHERE next_attempt_at > now();
    UPDATE payment_change SET next_attempt_at = now() WHERE next_attempt_at > now()`,
  space: `UPDATE outbox SET next_attempt_at = now() WHERE awaiting <> '{}' AND next_attempt_at > now()`,
};

/**
 * Waits until all databases have no unfinished work and do not change between two polls. With
 * `hasten` the backoff before next attempts is cut short. Returns what is unfinished at the timeout.
 */
export async function waitForQuiescence(
  urls: ContextUrls,
  options: { timeoutMs: number; hasten: boolean; signal: AbortSignal },
): Promise<{ isQuiescent: boolean; unfinished: string[] }> {
  const pools = CONTEXTS.map((name) => {
    const pool = new pg.Pool({ connectionString: urls[name], max: 1 });
    pool.on('error', () => {});
    return [name, pool] as const;
  });
  const deadline = Date.now() + options.timeoutMs;
  let hastenAt = Date.now() + HASTEN_INTERVAL_MS;
  let hastenings = 0;
  let previousStamp = '';
  try {
    for (;;) {
      options.signal.throwIfAborted();
      const { unfinished, stamp } = await readState(pools);
      const isFinished = unfinished.length === 0;
      if (isFinished && stamp === previousStamp) return { isQuiescent: true, unfinished };
      previousStamp = isFinished ? stamp : '';
      if (Date.now() > deadline) return { isQuiescent: false, unfinished };
      if (options.hasten && hastenings < MAX_HASTENINGS && Date.now() >= hastenAt) {
        await Promise.all(pools.map(([name, pool]) => pool.query(HASTEN[name])));
        hastenings += 1;
        hastenAt = Date.now() + HASTEN_INTERVAL_MS;
      }
      await wait(POLL_INTERVAL_MS);
    }
  } finally {
    await Promise.all(pools.map(([, pool]) => pool.end()));
  }
}

async function readState(pools: readonly (readonly [keyof ContextUrls, pg.Pool])[]) {
  const unfinished: string[] = [];
  const stamps: string[] = [];
  for (const [name, pool] of pools) {
    type Row = { what: string; id: string; state: string };
    const { rows } = await pool.query<Row>(STATE_QUERIES[name].unfinished);
    unfinished.push(...rows.map(({ what, id, state }) => `${name}: ${what} ${id}: ${state}`));
    const stamp = await pool.query<{ stamp: string }>(STATE_QUERIES[name].stamp);
    stamps.push(stamp.rows[0]?.stamp ?? '');
  }
  return { unfinished, stamp: stamps.join(' ') };
}
