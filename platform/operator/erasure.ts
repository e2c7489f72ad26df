import type { Principal } from '../auth/principal.ts';
import { inTransaction, type Pool, type Queryable } from '../database/postgres.ts';
import { insertAuditEntry, newAuditEntry } from './audit.ts';

/** Replaces the id of a customer whose personal data are erased; it does not identify the customer. */
export const PSEUDONYM = /^erased-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface ErasureRequest {
  customerId: string;
  pseudonym: string;
  /** The position at which the previous step ended; null: this is the first step. */
  after: string | null;
}

/** A step of an erasure: the number of rows changed, and the start of the next step; null: the last one. */
export interface ErasureStep {
  replaced: number;
  next: string | null;
}

export interface Erasure {
  /** Replaces the customer's id in a bounded number of rows. A repeated step changes nothing. */
  erase(request: ErasureRequest, by: Principal): Promise<ErasureStep>;
}

/** In rows: some 100 ms of reading. */
const STEP_SIZE = 20_000;
const NIL = '00000000-0000-0000-0000-000000000000';

/** SQL of an event's payload without the customer's id and own words, which events have as `note`. */
const erased = (payload: string) => `
  (${payload} || jsonb_build_object('customerId', $2::text)
     || CASE WHEN ${payload} ? 'note' THEN '{"note": null}'::jsonb ELSE '{}' END)`;

const eraseInOutbox = `
  UPDATE outbox SET payload = ${erased('payload')} WHERE payload ->> 'customerId' = $1`;
const eraseInDeadLetters = `
  UPDATE dead_letter SET event = jsonb_set(event, '{payload}', ${erased("(event -> 'payload')")})
   WHERE event -> 'payload' ->> 'customerId' = $1`;
const eraseInAuditLog = `
  UPDATE audit_entry SET user_id = $2 WHERE user_id = $1 AND acted_as = 'customer'`;
// Follows the primary key, so that no further index is needed.
const eraseInArchive = `
  WITH step AS (
    SELECT id, payload FROM event_archive WHERE id > $3::uuid ORDER BY id LIMIT $4),
  changed AS (
    UPDATE event_archive AS e
       SET payload = ${erased('e.payload')}
      FROM step WHERE e.id = step.id AND step.payload ->> 'customerId' = $1
 RETURNING e.id)
  SELECT (SELECT count(*)::int FROM changed) AS replaced, (SELECT count(*)::int FROM step) AS scanned,
         (SELECT id FROM step ORDER BY id DESC LIMIT 1) AS last`;

/**
 * Erases a customer in a context's PostgreSQL database: in events, dead letters and audit log, and in
 * `tables`, which have a `customer_id`. `finish` runs in the last step's transaction.
 */
export function postgresErasure(
  pool: Pool,
  tables: readonly string[],
  finish: (db: Queryable, request: ErasureRequest) => Promise<unknown> = async () => {},
): Erasure {
  return {
    async erase(request, by) {
      const { customerId, pseudonym, after } = request;
      const ids = [customerId, pseudonym];
      // The outbox first: so events that are archived from now on are erased already.
      const first = after ? 0 : await countChanged(pool, eraseInOutbox, ids);
      const { rows } = await pool.query(eraseInArchive, [...ids, after ?? NIL, STEP_SIZE]);
      const [{ replaced, scanned, last }] = rows;
      if (scanned === STEP_SIZE) return { replaced: first + replaced, next: last };

      const rest = await inTransaction(pool, async (db) => {
        await db.query("SELECT set_config('spacerent.erasing_customer', 'on', true)");
        let count = 0;
        const own = tables.map(
          (table) => `UPDATE ${table} SET customer_id = $2 WHERE customer_id = $1`,
        );
        for (const statement of [...own, eraseInDeadLetters, eraseInAuditLog]) {
          count += await countChanged(db, statement, ids);
        }
        await finish(db, request);
        if (count > 0) await recordErasure(db, pseudonym, by);
        return count;
      });
      return { replaced: first + replaced + rest, next: null };
    },
  };
}

async function countChanged(db: Queryable, statement: string, values: unknown[]): Promise<number> {
  return (await db.query(statement, values)).rowCount ?? 0;
}

async function recordErasure(
  db: Queryable,
  pseudonym: string,
  { userId }: Principal,
): Promise<void> {
  const entry = newAuditEntry({
    userId,
    actedAs: 'operator',
    action: 'eraseCustomer',
    subjectType: 'customer',
    subjectId: pseudonym.slice('erased-'.length),
    details: { pseudonym },
  });
  await db.query(insertAuditEntry('$1', 'TRUE'), [JSON.stringify(entry)]);
}
