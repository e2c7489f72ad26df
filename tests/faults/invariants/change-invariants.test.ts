import { randomUUID } from 'node:crypto';
import type { TestDatabase } from '../../support/database.ts';
import { CHANGES, PRICE } from './booking-changes.ts';
import { type Corruption, testCorruptions } from './corruption-tests.ts';

const CHAIN =
  'a change begins where the one before ended, and the booking has the terms of the last one';
const PUBLISHED =
  'a change is published once when it is applied, and once when a charge of it may have to go back';
const CHARGED = 'an applied change that costs more is charged once and not refunded';
const RELEASED = 'a charge of a change that is not applied is refunded in full';
const REDUCED = 'an applied change that costs less gives back the difference';
const SUM = 'the refunds of changes in a payment are the sum of those that are completed';
const FINISHED = 'every booking, change, payment and refund is finished';

/** Lowers what a change gave back, in payment and at the provider. */
async function keep(payment: TestDatabase, changeId: string, amount: number): Promise<void> {
  await payment.query(
    `UPDATE payment SET refunded = refunded - $2, refunded_for_changes = refunded_for_changes - $2
      WHERE id = (SELECT payment_id FROM payment_change WHERE id = $1)`,
    [changeId, amount],
  );
  await payment.query('UPDATE sandbox_refund SET amount = amount - $2 WHERE key = $1', [
    ...[`refund-of-change-${changeId}`, amount],
  ]);
  await payment.query(
    'UPDATE payment_change SET refund_amount = refund_amount - $2 WHERE id = $1',
    [...[changeId, amount]],
  );
}

const inBook: Corruption[] = [
  {
    name: 'a change that began from other terms than were booked',
    corrupt: ({ book }) =>
      book.query(
        `UPDATE booking_change SET from_terms = from_terms || '{"headcount": 3}' WHERE id = $1`,
        [CHANGES.declined.id],
      ),
    violates: [CHAIN, 'every change was requested'],
  },
  {
    name: 'a booking that has other terms than its last change brought',
    corrupt: ({ book, ids }) =>
      book.query('UPDATE booking SET headcount = 2 WHERE id = $1', [ids.rescheduled]),
    violates: [
      CHAIN,
      'an acknowledged booking has what was requested, or what a change of it may have brought',
      'an acknowledged change stands until another one follows',
      'the newest event of a booking has its slot, headcount and price',
    ],
  },
  {
    name: 'a declined change that was applied all the same',
    corrupt: ({ book }) =>
      book.query(`UPDATE booking_change SET state = 'APPLIED' WHERE id = $1`, [
        CHANGES.declined.id,
      ]),
    violates: [
      CHAIN,
      PUBLISHED,
      CHARGED,
      'a refused change is not stored, and a declined one is DECLINED',
    ],
  },
  {
    name: 'a change with another difference than that of its prices',
    corrupt: ({ book }) =>
      book.query('UPDATE booking_change SET difference = 1 WHERE id = $1', [CHANGES.declined.id]),
    violates: [
      'every change was requested',
      'the difference of a change is what its price is more than the one before',
    ],
  },
  {
    name: 'an applied change without an event',
    corrupt: ({ book }) =>
      book.query(`DELETE FROM outbox WHERE type = 'BookingRescheduled' AND version = 5`),
    violates: [PUBLISHED, "mypage's views equal the projection of the events"],
  },
  {
    name: 'an expired change whose charge payment does not know to refund',
    corrupt: ({ book }) => book.query(`DELETE FROM outbox WHERE type = 'BookingChangeReleased'`),
    violates: [PUBLISHED],
  },
  {
    name: 'an event with another price than the booking',
    corrupt: ({ book }) =>
      book.query(
        `UPDATE outbox SET payload = jsonb_set(payload, '{price,amount}', '1')
          WHERE type = 'BookingRescheduled' AND version = 12`,
      ),
    violates: [
      "mypage's views equal the projection of the events",
      'the newest event of a booking has its slot, headcount and price',
    ],
  },
  {
    name: 'a change that is still pending',
    corrupt: ({ book }) =>
      book.query(`UPDATE booking_change SET state = 'PENDING' WHERE id = $1`, [CHANGES.expired.id]),
    violates: [PUBLISHED, FINISHED],
  },
  {
    name: 'a booking that still awaits its registration for a change',
    corrupt: ({ book, ids }) =>
      book.query('UPDATE booking SET change_id = $2 WHERE id = $1', [
        ...[ids.rescheduled, CHANGES.cheaper.id],
      ]),
    violates: [FINISHED],
  },
  {
    name: 'an audit entry of a change that does not exist',
    corrupt: ({ book }) =>
      book.query(
        `INSERT INTO audit_entry SELECT (jsonb_populate_record(audit_entry,
                jsonb_build_object('id', gen_random_uuid(), 'details', '{}'))).* FROM audit_entry
          WHERE details->>'changeId' = $1`,
        [CHANGES.declined.id],
      ),
    violates: ['every audit entry belongs to a change that happened'],
  },
];

const inPayment: Corruption[] = [
  {
    name: 'an applied change that was not charged',
    corrupt: ({ payment }) =>
      payment.query(
        `UPDATE payment_change SET charge_status = 'DECLINED', settled_at = now() WHERE id = $1`,
        [CHANGES.dearer.id],
      ),
    violates: [CHARGED],
  },
  {
    name: 'an applied change that the provider charged with another amount',
    corrupt: ({ payment }) =>
      payment.query('UPDATE sandbox_charge SET amount = amount + 1 WHERE key = $1', [
        CHANGES.dearer.id,
      ]),
    violates: [
      CHARGED,
      'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees, less goodwill',
      'payments agree with the records of the provider',
    ],
  },
  {
    name: 'an applied change whose charge was refunded',
    async corrupt({ payment, ids }) {
      await payment.query(
        'UPDATE payment_change SET refund_amount = difference, settled_at = now() WHERE id = $1',
        [CHANGES.dearer.id],
      );
      await payment.query(
        `UPDATE payment SET refunded = refunded + $2, refunded_for_changes = refunded_for_changes + $2
          WHERE booking_id = $1`,
        [ids.rescheduled, PRICE],
      );
      await payment.query(
        `INSERT INTO sandbox_refund (key, charge_key, amount) VALUES ('twice', $1, $2)`,
        [ids.rescheduled, PRICE],
      );
    },
    violates: [
      CHARGED,
      'a REGISTERED booking is paid in full and has an active registration',
      'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees, less goodwill',
    ],
  },
  {
    name: 'a charge of an expired change that is kept',
    async corrupt({ payment }) {
      await keep(payment, CHANGES.expired.id, PRICE);
      await payment.query(
        'UPDATE payment_change SET refund_amount = NULL, settled_at = NULL WHERE id = $1',
        [CHANGES.expired.id],
      );
    },
    violates: [
      RELEASED,
      'a REGISTERED booking is paid in full and has an active registration',
      'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees, less goodwill',
    ],
  },
  {
    name: 'a charge of an expired change that is refunded in part',
    corrupt: ({ payment }) => keep(payment, CHANGES.expired.id, 1),
    violates: [RELEASED],
  },
  {
    name: 'a charge of a declined change at the provider',
    corrupt: ({ payment }) =>
      payment.query(`UPDATE sandbox_charge SET outcome = 'APPROVED' WHERE key = $1`, [
        CHANGES.declined.id,
      ]),
    violates: [
      RELEASED,
      'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees, less goodwill',
      'payments agree with the records of the provider',
    ],
  },
  {
    name: 'a change that gave back less than the difference',
    corrupt: ({ payment }) => keep(payment, CHANGES.cheaper.id, 1),
    violates: [REDUCED],
  },
  {
    name: 'a change that gave back less than the difference because goodwill had taken it',
    async corrupt({ payment, ids, inViews }) {
      await keep(payment, CHANGES.cheaper.id, 1_000);
      const goodwill = PRICE + 1_000;
      const values = [ids.rescheduled, goodwill];
      await payment.query(
        `INSERT INTO goodwill_refund (id, payment_id, idempotency_key, amount, reason, operator_id,
                settled_at)
         SELECT gen_random_uuid(), id, id, $2, 'goodwill', 'olga', now() FROM payment
          WHERE booking_id = $1`,
        values,
      );
      await payment.query(
        `UPDATE payment SET goodwill = $2, refunded = amount, status = 'REFUNDED' WHERE booking_id = $1`,
        values,
      );
      await payment.query(
        `INSERT INTO sandbox_refund (key, charge_key, amount) VALUES ('goodwill', $1, $2)`,
        values,
      );
      await payment.query(
        `UPDATE outbox SET payload = payload || '{"status": "REFUNDED"}'
          WHERE payload->>'bookingId' = $1 AND version = 6`,
        [ids.rescheduled],
      );
      await inViews((views) =>
        views.bookingStatusView.updateMany({
          where: { bookingId: ids.rescheduled },
          data: { paymentStatus: 'REFUNDED' },
        }),
      );
    },
    violates: [REDUCED],
  },
  {
    name: 'a refund of a change that the payment does not count',
    corrupt: ({ payment }) =>
      payment.query('UPDATE payment_change SET settled_at = NULL WHERE id = $1', [
        CHANGES.cheaper.id,
      ]),
    violates: [FINISHED, REDUCED, SUM],
  },
  {
    name: 'a charge of a change that is still pending',
    corrupt: ({ payment }) =>
      payment.query(`UPDATE payment_change SET charge_status = 'PENDING' WHERE id = $1`, [
        CHANGES.declined.id,
      ]),
    violates: [FINISHED, RELEASED],
  },
  {
    name: 'a charge of a change that the booking does not have',
    corrupt: ({ payment }) =>
      payment.query('UPDATE payment_change SET id = $2 WHERE id = $1', [
        ...[CHANGES.declined.id, randomUUID()],
      ]),
    violates: ['every row and event belongs to an existing booking'],
  },
  {
    name: 'a charge at the provider under a key of neither a booking nor a change',
    corrupt: ({ payment, ids }) =>
      payment.query(
        `INSERT INTO sandbox_charge (key, account, outcome, amount, currency)
         VALUES ($1, $2, 'APPROVED', 0, 'KRW')`,
        [randomUUID(), ids.registered],
      ),
    violates: ['every row and event belongs to an existing booking'],
  },
];

testCorruptions([...inBook, ...inPayment]);
