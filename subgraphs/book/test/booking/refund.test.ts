import { describe, expect, test } from '@jest/globals';
import { aBooking, aRequest, aSpace, legal, NOW, secondsAfter } from '../a-booking.ts';
import { inStatus, ROLES, STATUSES, UNPAID } from './bookings.ts';

const { slot } = aRequest();

describe('the refund quoted', () => {
  // 60 000 won; half of it from one day to seven days before the start.
  const late = secondsAfter(slot.startAt, -3_600);
  const halfway = secondsAfter(slot.startAt, -3 * 86_400);

  test.each(ROLES)(
    'the refund to the %s is the whole price until the payment is confirmed',
    (role) => {
      for (const status of UNPAID) {
        expect(inStatus[status]().quoteRefund(role, late)).toEqual({
          amount: 60_000,
          currency: 'KRW',
        });
      }
    },
  );

  test.each([
    ['customer', 'PAID', 30_000],
    ['customer', 'REGISTERED', 30_000],
    ['operator', 'PAID', 30_000],
    ['operator', 'REGISTERED', 30_000],
    ['host', 'PAID', 60_000],
    ['host', 'REGISTERED', 60_000],
  ] as const)(
    'the refund to the %s of a %s booking three days before is %d',
    (role, status, amount) => {
      expect(inStatus[status]().quoteRefund(role, halfway)).toEqual({ amount, currency: 'KRW' });
    },
  );

  test.each([
    ['customer', 0],
    ['operator', 0],
    ['host', 60_000],
  ] as const)('the refund to the %s an hour before is %d', (role, amount) => {
    expect(inStatus.REGISTERED().quoteRefund(role, late).amount).toBe(amount);
  });

  test.each(ROLES)(
    'the refund to the %s stays what the cancellation accepted, at any time',
    (role) => {
      const cancelling = legal(inStatus.REGISTERED().cancel('customer', halfway));
      const cancelled = legal(
        legal(cancelling.completePaymentCancellation()).completeRegistrationCancellation(),
      );
      expect(cancelling.quoteRefund(role, late).amount).toBe(30_000);
      expect(cancelled.quoteRefund(role, late).amount).toBe(30_000);
    },
  );

  test.each(ROLES)(
    'the refund to the %s is nothing where nothing was or will be charged',
    (role) => {
      expect(inStatus.AWAITING_APPROVAL().quoteRefund(role, NOW).amount).toBe(0);
      expect(inStatus.REJECTED().quoteRefund(role, NOW).amount).toBe(0);
      expect(inStatus.DECLINED().quoteRefund(role, NOW).amount).toBe(0);
      expect(inStatus.EXPIRED().quoteRefund(role, NOW).amount).toBe(0);
    },
  );

  test('the refund quoted is the refund of a cancellation at that moment', () => {
    for (const status of [...UNPAID, 'PAID', 'REGISTERED'] as const) {
      for (const role of ROLES) {
        for (const now of [NOW, halfway, late]) {
          const booking = inStatus[status]();
          const cancelling = legal(booking.cancel(role, now));
          expect(cancelling.state.refund).toEqual(booking.quoteRefund(role, now));
        }
      }
    }
  });

  test('the refund is the whole price when the use cannot be registered, whatever the tiers say', () => {
    const space = aSpace({ refundTiers: [] });
    const paid = legal(aBooking({}, { space }).approvePayment());
    expect(paid.quoteRefund('customer', NOW).amount).toBe(0);
    expect(legal(paid.rejectRegistration()).state.refund?.amount).toBe(60_000);
  });
});

describe('the refund schedule', () => {
  test('the schedule of a booking shows the tiers frozen at the request', () => {
    expect(inStatus.REGISTERED().refundSchedule('customer')).toEqual([
      {
        until: secondsAfter(slot.startAt, -7 * 86_400),
        percent: 100,
        refund: { amount: 60_000, currency: 'KRW' },
      },
      {
        until: secondsAfter(slot.startAt, -86_400),
        percent: 50,
        refund: { amount: 30_000, currency: 'KRW' },
      },
      { until: null, percent: 0, refund: { amount: 0, currency: 'KRW' } },
    ]);
  });

  test('the value of the schedule is the refund quoted, in every status and role and around every step', () => {
    for (const status of STATUSES) {
      for (const role of ROLES) {
        const booking = inStatus[status]();
        const schedule = booking.refundSchedule(role);
        const instants = schedule.flatMap(({ until }) =>
          until === null ? [NOW, slot.startAt] : [-1, 0, 1].map((ms) => new Date(+until + ms)),
        );
        for (const now of instants) {
          const step = schedule.find(({ until }) => until === null || now <= until);
          expect(booking.quoteRefund(role, now)).toEqual(step?.refund);
        }
      }
    }
  });

  test('a refund is never more than what operators have left of the charge', () => {
    const booking = inStatus.REGISTERED().recordGoodwill(20_000);
    const amounts = (role: (typeof ROLES)[number]) =>
      booking.refundSchedule(role).map(({ refund }) => refund.amount);
    expect(amounts('customer')).toEqual([40_000, 30_000, 0]);
    expect(amounts('host')).toEqual([40_000]);
    expect(legal(booking.cancel('host', NOW)).state.refund?.amount).toBe(40_000);
    expect(booking.recordGoodwill(10_000)).toBe(booking);
  });

  test('a cancellation that met a refund of operators shows what it gave back in the end', () => {
    const cancelling = inStatus.CANCELLING();
    expect(cancelling.state.refund?.amount).toBe(60_000);
    const closed = legal(cancelling.completePaymentCancellation(45_000));
    expect(closed.quoteRefund('customer', NOW).amount).toBe(45_000);
    expect(legal(cancelling.completePaymentCancellation()).state.refund?.amount).toBe(60_000);
  });
});

describe('a cancellation', () => {
  test('a cancellation is accepted to the last moment of the booked time and not when it is over', () => {
    const paid = inStatus.PAID();
    const end = slot.endAt.getTime();
    expect(legal(paid.cancel('customer', new Date(end - 1))).state.status).toBe('CANCELLING');
    expect(paid.cancel('customer', new Date(end))).toMatchObject({ type: 'IllegalTransition' });
  });
});
