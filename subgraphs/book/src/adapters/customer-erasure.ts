import { randomUUID } from 'node:crypto';
import { requirePrincipal } from '#platform/auth/principal.ts';
import { namedStatement } from '#platform/database/named-statement.ts';
import { inTransaction, type Pool, type Queryable } from '#platform/database/postgres.ts';
import { badInput } from '#platform/graphql/errors.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { isText } from '#platform/graphql/text.ts';
import { type Erasure, postgresErasure } from '#platform/operator/erasure.ts';
import {
  NotErasable,
  parseCustomer,
  toErasureResult,
} from '#platform/operator/erasure-resolvers.ts';
import { FINAL } from './status-lists.ts';

const MAX_REASON_LENGTH = 1_000;
/**
 * Something may follow: a step of the saga, or the cancellation of a use that has not ended. As text,
 * because a newer release may know more statuses.
 */
const IS_OPEN = `NOT (status::text IN (${FINAL})
                   OR status::text = 'REGISTERED' AND end_at < now())`;

const insertErasure = namedStatement<
  Record<string, never>,
  'pseudonym' | 'customerId' | 'reason' | 'by'
>(
  'customer-erasure-insert',
  `INSERT INTO customer_erasure (pseudonym, customer_id, reason, begun_by)
   VALUES (:pseudonym, :customerId, :reason, :by) ON CONFLICT (customer_id) DO NOTHING`,
);

/** Book's part of an erasure: it comes last, and deletes whose pseudonym it was. */
export function bookErasure(pool: Pool): Erasure {
  return postgresErasure(pool, ['booking'], async (db, { customerId, pseudonym }) => {
    await refuseIfOpen(db, pseudonym);
    // Words of the customer, and words to the customer.
    await db.query(
      `UPDATE booking SET note = NULL, rejection_reason = NULL
        WHERE customer_id = $1 AND (note IS NOT NULL OR rejection_reason IS NOT NULL)`,
      [pseudonym],
    );
    await db.query(
      `UPDATE customer_erasure SET customer_id = NULL, finished_at = now()
        WHERE customer_id = $1 AND pseudonym = $2`,
      [customerId, pseudonym],
    );
  });
}

/** The field that begins an erasure: chooses the pseudonym, or repeats it where one is under way. */
export function erasureStart(pool: Pool) {
  return {
    Mutation: {
      beginCustomerErasure(
        _: unknown,
        args: { customerId: string; reason: string },
        { principal }: SubgraphContext,
      ) {
        const { userId } = requirePrincipal(principal);
        const customerId = parseCustomer(args.customerId);
        const reason = args.reason.trim();
        if (reason === '' || reason.length > MAX_REASON_LENGTH || !isText(reason)) {
          throw badInput('reason', `Say why, in at most ${MAX_REASON_LENGTH} characters.`);
        }
        return toErasureResult(async () => ({
          pseudonym: await startErasure(pool, customerId, reason, userId),
          replaced: 0,
          next: null,
        }));
      },
    },
  };
}

function startErasure(pool: Pool, customerId: string, reason: string, by: string): Promise<string> {
  return inTransaction(pool, async (db) => {
    const { rowCount } = await db.query('SELECT FROM booking WHERE customer_id = $1 LIMIT 1', [
      customerId,
    ]);
    if (rowCount === 0) throw new NotErasable('There is no such customer, or no longer.');
    await refuseIfOpen(db, customerId);
    const { rowCount: undelivered } = await db.query(
      `SELECT FROM booking b JOIN outbox o ON o.aggregate_id = b.id
        WHERE b.customer_id = $1 AND o.awaiting <> '{}' LIMIT 1`,
      [customerId],
    );
    if (undelivered) {
      throw new NotErasable('Events of this customer are still being delivered: try again later.');
    }
    await insertErasure(db, { pseudonym: `erased-${randomUUID()}`, customerId, reason, by });
    const { rows } = await db.query(
      'SELECT pseudonym FROM customer_erasure WHERE customer_id = $1',
      [customerId],
    );
    return rows[0].pseudonym;
  });
}

async function refuseIfOpen(db: Queryable, customerId: string): Promise<void> {
  const { rows } = await db.query(
    `SELECT id FROM booking WHERE customer_id = $1 AND ${IS_OPEN} ORDER BY id LIMIT 1`,
    [customerId],
  );
  if (rows.length > 0) {
    throw new NotErasable(
      `The customer's booking ${rows[0].id} is not over: cancel it, or wait for its end.`,
    );
  }
}
