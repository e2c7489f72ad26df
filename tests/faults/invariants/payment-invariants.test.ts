import { type Corruption, testCorruptions } from './corruption-tests.ts';

const MONEY_IS_MISSING = [
  'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees',
  'payments agree with the records of the provider',
  'the charge of a released booking is refunded once, with the quoted amount',
];

const corruptions: Corruption[] = [
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
      'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees',
      'no refund exceeds its charge or belongs to a live booking',
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
    async corrupt({ payment }) {
      await payment.query('DELETE FROM sandbox_refund');
      await payment.query('UPDATE refund SET settled_outside = TRUE');
    },
    violates: [],
  },
  {
    name: 'a refund that the provider never paid',
    corrupt: ({ payment }) => payment.query('DELETE FROM sandbox_refund'),
    violates: MONEY_IS_MISSING,
  },
  {
    name: 'a refund that is still owed',
    corrupt: ({ payment }) => payment.query('UPDATE refund SET settled_at = NULL'),
    violates: ['every booking, payment and refund is finished'],
  },
  {
    name: 'a payment that is still pending',
    corrupt: ({ payment, ids }) =>
      payment.query("UPDATE payment SET status = 'PENDING' WHERE booking_id = $1", [ids.declined]),
    violates: [
      'every booking, payment and refund is finished',
      'the newest event of an aggregate has its current status',
    ],
  },
];

testCorruptions(corruptions);
