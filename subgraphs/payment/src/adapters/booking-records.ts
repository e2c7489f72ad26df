import type { PaymentRecord } from '#contracts/reconciliation.ts';
import { type Pool, statement } from '#platform/database/postgres.ts';
import type { PaymentProvider } from '../ports.ts';

type Row = Omit<PaymentRecord, 'chargedByProvider'>;

const findRecords = statement<Row>(
  'booking-records',
  `SELECT p.booking_id AS "bookingId", p.id AS "paymentId", p.status, p.amount, p.refunded, p.goodwill,
          p.refunded_for_changes AS "refundedForChanges", r.amount AS "refundDue",
          p.status = 'PENDING' OR (r.payment_id IS NOT NULL AND r.settled_at IS NULL)
            OR EXISTS (SELECT FROM goodwill_refund g WHERE g.payment_id = p.id
                          AND g.settled_at IS NULL AND g.failed_at IS NULL)
            OR EXISTS (SELECT FROM payment_change c WHERE c.payment_id = p.id
                          AND (c.charge_status = 'PENDING'
                               OR (c.refund_amount IS NOT NULL AND c.settled_at IS NULL)))
            OR EXISTS (SELECT FROM outbox e WHERE e.aggregate_id = p.id AND e.awaiting <> '{}')
            AS "isPassing",
          jsonb_build_object('customerId', p.customer_id, 'spaceId', p.space_id,
            'startAt', to_char(p.start_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'endAt', to_char(p.end_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'price', p.amount - p.refunded_for_changes, 'currency', p.currency) AS booking
     FROM payment p LEFT JOIN refund r ON r.payment_id = p.id
    WHERE p.booking_id = ANY($1::uuid[])`,
);

const listIds = statement<{ id: string }>(
  'booking-ids',
  `SELECT booking_id AS id FROM payment WHERE booking_id > $1::uuid ORDER BY booking_id LIMIT $2`,
);

/** The ids of the bookings after one that have a payment. */
export const paidBookingIds = (pool: Pool) => async (after: string, limit: number) =>
  (await listIds(pool, after, limit)).map(({ id }) => id);

const PROVIDER_CONCURRENCY = 8;

/** Reads payments for the reconciliation, and looks up their charges at the provider. */
export function paymentRecords(pool: Pool, provider: Pick<PaymentProvider, 'find'>) {
  async function chargedByProvider(bookingId: string): Promise<boolean | null> {
    try {
      return (await provider.find(bookingId))?.outcome === 'approved';
    } catch {
      return null;
    }
  }

  return async (bookingIds: readonly string[]): Promise<PaymentRecord[]> => {
    const rows = await findRecords(pool, [...bookingIds]);
    const records: PaymentRecord[] = [];
    const waiting = [...rows];
    const readers = Array.from({ length: PROVIDER_CONCURRENCY }, async () => {
      for (let row = waiting.shift(); row; row = waiting.shift()) {
        const charged = row.isPassing ? null : await chargedByProvider(row.bookingId);
        records.push({ ...row, chargedByProvider: charged });
      }
    });
    await Promise.all(readers);
    return records;
  };
}
