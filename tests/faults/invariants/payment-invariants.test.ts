import type { TestDatabase } from '../../support/database.ts';
import { type Corruption, testCorruptions } from './corruption-tests.ts';

const MONEY_IS_MISSING = [
  'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees, less goodwill',
  'payments agree with the records of the provider',
  'the charge of a released booking is refunded once, with the quoted amount',
];

const GOODWILL = 2_000;

/** Gives back a part of a charge, in payment and at the provider. */
async function giveBack(payment: TestDatabase, bookingId: string): Promise<void> {
  await payment.query(
    `INSERT INTO goodwill_refund (id, payment_id, idempotency_key, amount, reason, operator_id, settled_at)
     SELECT gen_random_uuid(), id, id, ${GOODWILL}, 'goodwill', 'olga', now()
       FROM payment WHERE booking_id = $1`,
    [bookingId],
  );
  await payment.query(
    `UPDATE payment SET goodwill = ${GOODWILL}, refunded = refunded + ${GOODWILL} WHERE booking_id = $1`,
    [bookingId],
  );
  await payment.query(
    `INSERT INTO sandbox_refund (key, charge_key, amount) VALUES (gen_random_uuid(), $1, ${GOODWILL})`,
    [bookingId],
  );
}

const corruptions: Corruption[] = [
  {
    name: 'no violation when operators gave back a part of a charge beyond what was quoted',
    corrupt: ({ payment, ids }) => giveBack(payment, ids.cancelled),
    violates: [],
  },
  {
    name: 'a goodwill refund that the provider never paid',
    async corrupt({ payment, ids }) {
      await giveBack(payment, ids.cancelled);
      await payment.query(`DELETE FROM sandbox_refund WHERE amount = ${GOODWILL}`);
    },
    violates: MONEY_IS_MISSING,
  },
  {
    name: 'a goodwill refund that the payment does not count',
    corrupt: ({ payment, ids }) =>
      payment.query(
        `INSERT INTO goodwill_refund (id, payment_id, idempotency_key, amount, reason, operator_id, settled_at)
         SELECT gen_random_uuid(), id, id, 1, 'goodwill', 'olga', now()
           FROM payment WHERE booking_id = $1`,
        [ids.cancelled],
      ),
    violates: ['the goodwill of a payment is the sum of its completed goodwill refunds'],
  },
  {
    name: 'a goodwill refund that is still owed',
    async corrupt({ payment, ids }) {
      await giveBack(payment, ids.cancelled);
      await payment.query(
        `INSERT INTO goodwill_refund (id, payment_id, idempotency_key, amount, reason, operator_id)
         SELECT gen_random_uuid(), id, 'k', 1, 'goodwill', 'olga' FROM payment WHERE booking_id = $1`,
        [ids.cancelled],
      );
    },
    violates: ['every booking, change, payment and refund is finished'],
  },
  {
    name: 'a refund of the charge of a registered booking that has no obligation',
    corrupt: ({ payment, ids }) =>
      payment.query(
        "UPDATE payment SET status = 'PARTIALLY_REFUNDED', refunded = 10 WHERE booking_id = $1",
        [ids.registered],
      ),
    violates: [
      'a REGISTERED booking is paid in full and has an active registration',
      'payments agree with the records of the provider',
      'the newest event of an aggregate has its current status',
    ],
  },
  {
    name: 'a refund of another amount than quoted',
    corrupt: ({ payment, ids }) =>
      payment.query('UPDATE sandbox_refund SET amount = 9999 WHERE charge_key = $1', [
        ids.cancelled,
      ]),
    violates: MONEY_IS_MISSING,
  },
  {
    name: 'a refund of a live booking',
    corrupt: ({ payment, ids }) =>
      payment.query('INSERT INTO sandbox_refund VALUES ($1, 10000)', [ids.registered]),
    violates: [
      'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees, less goodwill',
      'no refund exceeds its charges or, goodwill and changes apart, belongs to a live booking',
      'payments agree with the records of the provider',
    ],
  },
  {
    name: 'a charge of an expired booking',
    corrupt: ({ payment, ids }) =>
      payment.query("INSERT INTO sandbox_charge VALUES ($1, 'APPROVED', 10000, 'KRW')", [
        ids.expired,
      ]),
    violates: MONEY_IS_MISSING,
  },
  {
    name: 'a refund that was paid by the provider and outside of it',
    corrupt: ({ payment }) => payment.query('UPDATE refund SET settled_outside = TRUE'),
    violates: MONEY_IS_MISSING,
  },
  {
    name: 'no violation when a refund was paid outside of the provider',
    async corrupt({ payment, ids }) {
      await payment.query('DELETE FROM sandbox_refund WHERE charge_key = $1', [ids.cancelled]);
      await payment.query('UPDATE refund SET settled_outside = TRUE');
    },
    violates: [],
  },
  {
    name: 'a refund that the provider never paid',
    corrupt: ({ payment, ids }) =>
      payment.query('DELETE FROM sandbox_refund WHERE charge_key = $1', [ids.cancelled]),
    violates: MONEY_IS_MISSING,
  },
  {
    name: 'a refund that is still owed',
    corrupt: ({ payment }) => payment.query('UPDATE refund SET settled_at = NULL'),
    violates: ['every booking, change, payment and refund is finished'],
  },
  {
    name: 'a payment that is still pending',
    corrupt: ({ payment, ids }) =>
      payment.query("UPDATE payment SET status = 'PENDING' WHERE booking_id = $1", [ids.declined]),
    violates: [
      'every booking, change, payment and refund is finished',
      'the newest event of an aggregate has its current status',
    ],
  },
];

testCorruptions(corruptions);
