import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { Records, RescheduleRecord } from '../load/records.ts';
import { CHANGES, type ChangeName, PRICE } from './booking-changes.ts';
import { SPACE } from './booking-histories.ts';
import { testCorruptions } from './corruption-tests.ts';

const NOT_STORED = 'a refused change is not stored, and a declined one is DECLINED';
const KEY_REFUSED =
  'the key of a change is refused as used only after another request, and the booking is found';
const GOODWILL = 'an acknowledged goodwill refund is made once, and a refused one never';

function recordOf(records: Records, name: ChangeName): RescheduleRecord {
  const record = records.reschedules.find(({ key }) => key === name);
  if (!record) throw new Error(`there is no record of ${name}`);
  return record;
}

/** Records one more response to the request for a change. */
function respondAgain(
  records: Records,
  name: ChangeName,
  outcome: RescheduleRecord['outcome'],
): void {
  records.reschedules.push({ ...recordOf(records, name), outcome });
}

testCorruptions([
  {
    name: 'an acknowledged change that is missing',
    async corrupt({ records }) {
      const record = recordOf(records, 'cheaper');
      expect(record.outcome.kind).toBe('ok');
      if (record.outcome.kind !== 'ok') return;
      const outcome = { ...record.outcome, changeId: randomUUID() };
      records.reschedules.push({ ...record, key: 'another', outcome });
    },
    violates: [
      'an acknowledged change has exactly one audit entry',
      'an acknowledged change is stored as it was requested',
    ],
  },
  {
    name: 'an applied change that was acknowledged as declined',
    corrupt: async ({ records }) =>
      respondAgain(records, 'cheaper', { kind: 'refused', type: 'PaymentDeclined' }),
    violates: [NOT_STORED],
  },
  {
    name: 'an acknowledged change of whose price nothing is left',
    async corrupt({ records }) {
      const { outcome } = recordOf(records, 'cheaper');
      if (outcome.kind === 'ok') outcome.price += 1;
    },
    violates: ['an acknowledged change stands until another one follows'],
  },
  {
    name: 'no violation when a change without a response may have followed the acknowledged one',
    async corrupt({ records }) {
      const record = recordOf(records, 'cheaper');
      if (record.outcome.kind === 'ok') record.outcome.price += 1;
      const outcome = { kind: 'unknown', reason: 'no response' } as const;
      records.reschedules.push({ ...record, key: 'another', outcome, responded: null });
    },
    violates: [],
  },
  {
    name: 'a change without a request',
    async corrupt({ records }) {
      records.reschedules.splice(records.reschedules.indexOf(recordOf(records, 'declined')), 1);
    },
    violates: ['every change was requested'],
  },
  {
    name: 'a slot that no change may have brought',
    async corrupt({ records }) {
      const record = recordOf(records, 'cheaper');
      record.outcome = { kind: 'refused', type: 'SlotUnavailable' };
    },
    violates: [
      'an acknowledged booking has what was requested, or what a change of it may have brought',
      NOT_STORED,
    ],
  },
  {
    name: 'a refused request that made a change',
    async corrupt({ records }) {
      recordOf(records, 'dearer').outcome = { kind: 'refused', type: 'SlotUnavailable' };
    },
    violates: [NOT_STORED],
  },
  {
    name: 'two changes under one idempotency key',
    async corrupt({ records }) {
      const { outcome } = recordOf(records, 'dearer');
      respondAgain(records, 'cheaper', outcome);
    },
    violates: [
      'an acknowledged change is stored as it was requested',
      'an acknowledged change stands until another one follows',
      'one idempotency key makes one change of a booking',
    ],
  },
  {
    name: 'a repeated change that was refused because its key is used',
    corrupt: async ({ records }) =>
      respondAgain(records, 'cheaper', { kind: 'refused', type: 'IdempotencyKeyReused' }),
    violates: [KEY_REFUSED],
  },
  {
    name: 'a change of a booking that its customer could not find',
    corrupt: async ({ records }) =>
      respondAgain(records, 'cheaper', { kind: 'refused', type: 'BookingNotFound' }),
    violates: [KEY_REFUSED],
  },
  {
    name: 'a slot of an acknowledged change that was acknowledged as paid to another customer',
    async corrupt({ records }) {
      const { slot } = CHANGES.cheaper.to;
      const input = { spaceId: SPACE.id, ...slot, headcount: 1, paymentMethod: 'pm_ok' };
      records.requests.push({
        ...{ customer: 'lee', key: 'mine', input },
        outcome: { kind: 'ok', bookingId: randomUUID(), status: 'PAID', price: PRICE },
      });
    },
    violates: [
      'an acknowledged booking is stored as it was requested',
      'no two paid bookings in the responses overlap',
    ],
  },
  {
    name: 'an acknowledged goodwill refund that is missing',
    corrupt: async ({ ids, records }) =>
      records.goodwill.push({
        ...{ bookingId: ids.registered, key: 'sorry', amount: 1 },
        outcome: { kind: 'ok' },
      }),
    violates: [GOODWILL],
  },
  {
    name: 'a refused goodwill refund that was made',
    async corrupt({ payment, ids, records }) {
      await payment.query(
        `INSERT INTO goodwill_refund (id, payment_id, idempotency_key, amount, reason, operator_id, failed_at)
         SELECT gen_random_uuid(), id, 'sorry', 1, 'goodwill', 'olga', now() FROM payment
          WHERE booking_id = $1`,
        [ids.registered],
      );
      records.goodwill.push({
        ...{ bookingId: ids.registered, key: 'sorry', amount: 1 },
        outcome: { kind: 'refused', type: 'InvalidRefund' },
      });
    },
    violates: [GOODWILL],
  },
]);
