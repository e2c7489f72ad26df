import { namedStatement } from '#platform/database/named-statement.ts';
import type { Pool } from '#platform/database/postgres.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import { insertAuditEntry, newAuditEntry } from '#platform/operator/audit.ts';
import type { LostBookings } from '../application/reconcile-bookings.ts';
import { toEvent } from './booking-events.ts';
import { toInsertValues } from './booking-rows.ts';

// The trigger of live rows writes the hold, and skips the booking where another owner's hold overlaps.
const insertLost = namedStatement<
  { id: string },
  | keyof Omit<
      ReturnType<typeof toInsertValues>,
      | 'priceLines'
      | 'holdMs'
      | 'firstRetryMs'
      | 'addOns'
      | 'note'
      | 'paymentAttempts'
      | 'bufferBeforeMinutes'
      | 'bufferAfterMinutes'
    >
  | 'refundAmount'
  | 'live'
  | 'events'
  | 'auditEntry'
>(
  'booking-insert-lost',
  `WITH inserted AS (
     INSERT INTO booking (id, customer_id, idempotency_key, space_id, host_id, space_name, time_zone,
            start_at, end_at, headcount, price_amount, currency, refund_tiers, payment_method, status,
            live, registration_cancelled, version, requested_at, hold_expires_at, refund_amount,
            vat_amount, correlation_id)
     VALUES (:id::uuid, :customerId, :idempotencyKey, :spaceId::uuid, :hostId, :spaceName, :timeZone,
             :startAt::timestamptz, :endAt::timestamptz, :headcount::int, :priceAmount::int,
             :currency::currency, :refundTiers::jsonb, :paymentMethod, :status::booking_status,
             :live::boolean, NOT :live::boolean, :version::int, now(), now(), :refundAmount::int, :vatAmount::int,
             :correlationId)
     ON CONFLICT DO NOTHING
  RETURNING id),
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM inserted)')}),
   audited AS (${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM inserted)')})
   SELECT id FROM inserted`,
);

/** Writes lost bookings again; their events reach the other contexts like all others. */
export function lostBookings(pool: Pool, relay: Pick<Relay, 'publish'>): LostBookings {
  return {
    async insert(booking, { userId, role }, reason) {
      const { id, refund } = booking.state;
      const event = toEvent(booking);
      const entry = newAuditEntry({
        ...{ userId, actedAs: role, action: 'reconcileBooking' },
        ...{ subjectType: 'booking', subjectId: id },
        details: { remedy: 'CANCEL_LOST', refund, reason },
      });
      const { priceLines, holdMs, firstRetryMs, addOns, note, paymentAttempts, ...values } =
        toInsertValues(booking);
      const { bufferBeforeMinutes, bufferAfterMinutes, ...columns } = values;
      // Where the slot is sold again, the booking does not hold it until its registration has ended.
      for (const live of [true, false]) {
        const [row] = await insertLost(pool, {
          ...columns,
          live,
          refundAmount: refund?.amount ?? 0,
          events: JSON.stringify([event]),
          auditEntry: JSON.stringify(entry),
        });
        if (!row) continue;
        relay.publish([event]);
        return 'inserted';
      }
      return 'exists';
    },
  };
}
