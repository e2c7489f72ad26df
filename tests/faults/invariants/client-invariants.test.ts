import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { CUSTOMER, inputFor, PRICE } from './booking-histories.ts';
import { type Corruption, testCorruptions } from './corruption-tests.ts';

const AUDIT_ENTRIES = 'an acknowledged change has exactly one audit entry';

const audit = (
  [
    ...['requestBooking', 'cancelBooking', 'rescheduleBooking'],
    ...['rejectBooking', 'blockSlot', 'listSpace'],
  ] as const
).flatMap((action): Corruption[] => {
  const context = action === 'listSpace' ? 'space' : 'book';
  return [
    {
      name: `a ${action} without an audit entry`,
      corrupt: (data) => data[context].query('DELETE FROM audit_entry WHERE action = $1', [action]),
      violates: [AUDIT_ENTRIES],
    },
    {
      name: `a ${action} with two audit entries`,
      corrupt: (data) =>
        data[context].query(
          `INSERT INTO audit_entry SELECT (jsonb_populate_record(audit_entry,
                jsonb_build_object('id', gen_random_uuid()))).* FROM audit_entry WHERE action = $1`,
          [action],
        ),
      violates: [AUDIT_ENTRIES],
    },
  ];
});

testCorruptions([
  {
    name: 'an acknowledged space that is missing',
    corrupt: ({ space }) => space.query('DELETE FROM space'),
    violates: [
      'an acknowledged space is listed',
      'every audit entry belongs to a change that happened',
    ],
  },
  {
    name: 'an acknowledged booking that was cancelled without a request',
    corrupt: async ({ records }) => records.cancels.splice(0),
    violates: ['an acknowledged booking is kept unless its customer cancels it'],
  },
  {
    name: 'an existing booking that its customer could not find',
    corrupt: async ({ ids, records }) =>
      records.cancels.push({
        customer: CUSTOMER,
        bookingId: ids.cancelled,
        outcome: { kind: 'refused', type: 'BookingNotFound', status: null },
      }),
    violates: [
      "a cancellation by the booking's customer is refused only with BookingNotCancellable",
    ],
  },
  {
    name: 'a cancellation that was answered with another refund',
    async corrupt({ records }) {
      for (const { outcome } of records.cancels) if (outcome.kind === 'ok') outcome.refund += 1;
    },
    violates: ['an acknowledged cancellation ends as CANCELLED with the refund of the response'],
  },
  {
    name: 'a live booking that was refused as expired',
    corrupt: async ({ ids, records }) =>
      records.cancels.push({
        customer: CUSTOMER,
        bookingId: ids.registered,
        outcome: { kind: 'refused', type: 'BookingNotCancellable', status: 'EXPIRED' },
      }),
    violates: ['the status in BookingNotCancellable is the final status of the booking'],
  },
  {
    name: 'two bookings with one idempotency key',
    corrupt: async ({ ids, records }) =>
      records.requests.push({
        customer: CUSTOMER,
        key: 'registered',
        input: inputFor('expired'),
        outcome: { kind: 'ok', bookingId: ids.expired, status: 'EXPIRED', price: PRICE },
      }),
    violates: [
      'an acknowledged booking is stored as it was requested',
      'one idempotency key creates one booking',
    ],
  },
  {
    name: 'a slot that was acknowledged as paid to two customers',
    corrupt: async ({ records }) =>
      records.requests.push({
        customer: 'lee',
        key: 'mine',
        input: inputFor('registered'),
        outcome: { kind: 'ok', bookingId: randomUUID(), status: 'PAID', price: PRICE },
      }),
    violates: [
      'an acknowledged booking is stored as it was requested',
      'no two paid bookings in the responses overlap',
    ],
  },
  {
    name: 'a booking without a request',
    corrupt: async ({ records }) => records.requests.splice(0, 1),
    violates: ['every booking was requested'],
  },
  {
    name: 'a refused request that created a booking',
    async corrupt({ ids, records }) {
      const [first] = records.requests.splice(0, 1);
      expect(first?.outcome).toMatchObject({ bookingId: ids.registered });
      if (!first) return;
      const outcome = { kind: 'refused', type: 'SlotUnavailable', bookingId: null } as const;
      records.requests.push({ ...first, outcome });
    },
    violates: ['a refused request creates no booking'],
  },
  {
    name: 'a refusal with PaymentDeclined of a booking that is not DECLINED',
    corrupt: async ({ ids, records }) =>
      records.requests.push({
        customer: CUSTOMER,
        key: 'expired',
        input: inputFor('expired'),
        outcome: { kind: 'refused', type: 'PaymentDeclined', bookingId: ids.expired },
      }),
    violates: ['a booking that was refused with PaymentDeclined is DECLINED'],
  },
  {
    name: 'a decision that was answered otherwise',
    corrupt: ({ book, ids }) =>
      book.query(`UPDATE booking SET decision = 'APPROVED' WHERE id = $1`, [ids.rejected]),
    violates: ['an acknowledged decision of a host is the decision that is stored'],
  },
  {
    name: 'a decision of the host on a booking that it could not find',
    corrupt: async ({ ids, records }) =>
      records.decisions.push({
        bookingId: ids.rejected,
        decision: 'approve',
        outcome: { kind: 'refused', type: 'BookingNotFound' },
      }),
    violates: ['a decision of a host is refused only with BookingNotDecidable'],
  },
  {
    name: 'an acknowledged block that is removed without a request',
    corrupt: async ({ book }) => {
      await book.query('UPDATE block SET removed_at = now()');
      await book.query('UPDATE slot_hold SET live = FALSE WHERE block_id IS NOT NULL');
    },
    violates: ['an acknowledged block closes its time until it is removed'],
  },
  {
    name: 'a removed block that still holds its time',
    async corrupt({ book, records }) {
      for (const record of records.blocks) record.removal = 'ok';
      await book.query('UPDATE block SET removed_at = now()');
    },
    violates: [
      'an acknowledged block closes its time until it is removed',
      'a block holds its time exactly until it is removed',
    ],
  },
  {
    name: 'a refused request for a block that created one',
    async corrupt({ records }) {
      for (const record of records.blocks) {
        record.outcome = { kind: 'refused', type: 'SlotUnavailable' };
      }
    },
    violates: ['one idempotency key creates one block, and a refused request none'],
  },
  ...audit,
  {
    name: 'a view that returned to an older version',
    async corrupt({ ids, records }) {
      records.startReading()(ids.registered, 4, 'REGISTERED');
      records.startReading()(ids.registered, 3, 'REGISTERED');
    },
    violates: ['no client sees an older version of a view after a newer one'],
  },
  {
    name: 'an expired booking that mypage showed as paid',
    corrupt: async ({ ids, records }) => records.startReading()(ids.expired, 2, 'PAID'),
    violates: ['an acknowledged booking is kept unless its customer cancels it'],
  },
]);
