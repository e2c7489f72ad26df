import { randomUUID } from 'node:crypto';
import type { TestDatabase } from '../../support/database.ts';
import type { Records } from '../load/records.ts';
import { CHANGES, type ChangeName, PRICE } from './booking-changes.ts';
import { CUSTOMER, SPACE } from './booking-histories.ts';

/** Makes of a registered booking one that was changed, as {@link CHANGES} say, in all contexts. */
export async function insertChanges(
  { book, payment, space }: Record<'book' | 'payment' | 'space', TestDatabase>,
  bookingId: string,
): Promise<void> {
  await insertIntoBook(book, bookingId);
  await insertIntoPayment(payment, bookingId);
  const { slot } = CHANGES.cheaper.to;
  const moved = [bookingId, slot.startAt, slot.endAt];
  await space.query(
    'UPDATE registration SET start_at = $2, end_at = $3 WHERE booking_id = $1',
    moved,
  );
  await space.query(
    'UPDATE occupied_slot SET start_at = $2, end_at = $3 WHERE booking_id = $1',
    moved,
  );
  const eventId = await insertRelease(book, bookingId);
  await payment.query('INSERT INTO inbox (event_id) VALUES ($1)', [eventId]);
}

async function insertIntoBook(book: TestDatabase, bookingId: string): Promise<void> {
  await book.query('UPDATE slot_hold SET live = FALSE WHERE booking_id = $1', [bookingId]);
  for (const [index, [name, change]] of Object.entries(CHANGES).entries()) {
    const { id, state, from, to, difference } = change;
    await book.query(
      `INSERT INTO booking_change (id, booking_id, idempotency_key, state, from_terms, to_terms,
              difference, requested_at, ended_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, now() + $8 * interval '1 s', now(), now())`,
      [id, bookingId, name, state, JSON.stringify(from), JSON.stringify(to), difference, index],
    );
    await book.query(
      `INSERT INTO slot_hold (space_id, owner_id, booking_id, change_id, start_at, end_at, live)
       VALUES ($1, $2, $2, $3, $4, $5, $6)`,
      [SPACE.id, bookingId, id, to.slot.startAt, to.slot.endAt, name === 'cheaper'],
    );
    await book.query(
      `INSERT INTO audit_entry (id, at, user_id, acted_as, action, subject_type, subject_id,
              correlation_id, details)
       VALUES ($1, now(), $2, 'customer', 'rescheduleBooking', 'booking', $3, 'test', $4)`,
      [randomUUID(), CUSTOMER, bookingId, { changeId: id }],
    );
  }
  const { slot, headcount, price } = CHANGES.cheaper.to;
  await book.query(
    `UPDATE booking SET start_at = $2, end_at = $3, headcount = $4, price_amount = $5, version = 13
      WHERE id = $1`,
    [bookingId, slot.startAt, slot.endAt, headcount, price.amount],
  );
}

/** The event of the change that has expired; returns its id. */
async function insertRelease(book: TestDatabase, bookingId: string): Promise<string> {
  const id = randomUUID();
  const { id: changeId, difference } = CHANGES.expired;
  await book.query(
    `INSERT INTO outbox (id, aggregate_id, version, topic, type, payload, correlation_id, occurred_at,
            awaiting, next_attempt_at)
     VALUES ($1, $2, 1, 'booking-change', 'BookingChangeReleased', $3, 'test', now(), '{}', now())`,
    [id, changeId, { changeId, bookingId, difference }],
  );
  return id;
}

async function insertIntoPayment(payment: TestDatabase, bookingId: string): Promise<void> {
  const charges = {
    dearer: 'APPROVED',
    declined: 'DECLINED',
    expired: 'APPROVED',
    cheaper: 'APPROVED',
  };
  for (const [name, { id, difference }] of Object.entries(CHANGES)) {
    const chargeStatus = charges[name as ChangeName];
    const isRefunded = name === 'expired' || name === 'cheaper';
    await payment.query(
      `INSERT INTO payment_change (id, payment_id, difference, charge_status, refund_amount, settled_at)
       SELECT $2, id, $3, $4, $5, CASE WHEN $6 THEN now() END FROM payment WHERE booking_id = $1`,
      [bookingId, id, difference, chargeStatus, isRefunded ? PRICE : null, name !== 'dearer'],
    );
    if (difference > 0) {
      await payment.query(
        `INSERT INTO sandbox_charge (key, account, payment_method, outcome, amount, currency)
         VALUES ($1, $2, 'pm_ok', $3, $4, 'KRW')`,
        [id, bookingId, chargeStatus, difference],
      );
    }
    if (isRefunded) {
      await payment.query(
        'INSERT INTO sandbox_refund (key, charge_key, amount) VALUES ($1, $2, $3)',
        [...[`refund-of-change-${id}`, bookingId, PRICE]],
      );
    }
  }
  await payment.query(
    'UPDATE payment SET amount = $2, refunded = $3, refunded_for_changes = $3 WHERE booking_id = $1',
    [bookingId, 3 * PRICE, 2 * PRICE],
  );
}

/** Records the customer's requests for the changes, one after another, with the responses. */
export function recordChanges(records: Records, bookingId: string): void {
  for (const [name, { id: changeId, state, difference, to }] of Object.entries(CHANGES)) {
    const { slot, headcount, price } = to;
    records.reschedules.push({
      ...{ customer: CUSTOMER, bookingId, key: name },
      input: { slot, headcount: null, expectedDifference: difference },
      outcome:
        state === 'DECLINED'
          ? { kind: 'refused', type: 'PaymentDeclined' }
          : {
              ...{ kind: 'ok', changeId, state: state === 'EXPIRED' ? 'PENDING' : state },
              ...{ startAt: slot.startAt, endAt: slot.endAt, headcount, price: price.amount },
            },
      sent: records.nextOrdinal(),
      responded: records.nextOrdinal(),
    });
  }
}
