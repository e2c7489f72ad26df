import { describe, expect, test } from '@jest/globals';
import { aBooking, aRequest, aSpace, legal, NOW, secondsAfter } from '../a-booking.ts';
import { inStatus, ROLES, UNPAID } from './bookings.ts';

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
    'the refund to the %s is nothing once the booking is declined or expired',
    (role) => {
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

describe('a cancellation', () => {
  test('a cancellation is accepted to the last moment of the booked time and not when it is over', () => {
    const paid = inStatus.PAID();
    const end = slot.endAt.getTime();
    expect(legal(paid.cancel('customer', new Date(end - 1))).state.status).toBe('CANCELLING');
    expect(paid.cancel('customer', new Date(end))).toMatchObject({ type: 'IllegalTransition' });
  });
});
