import { describe, expect, test } from '@jest/globals';
import { Booking } from '../../src/domain/booking.ts';
import { aBooking, aRequest, aSpace, CONTEXT, legal, NOW, secondsAfter } from '../a-booking.ts';
import { HOLD_END, inStatus, UNPAID } from './bookings.ts';

describe('a hold', () => {
  test.each([
    [-1, false],
    [0, true],
    [1, true],
  ])('a hold may expire %d ms after its end: %s', (ms, may) => {
    for (const status of UNPAID) {
      const expired = inStatus[status]().expire(new Date(HOLD_END.getTime() + ms));
      expect(expired instanceof Booking).toBe(may);
    }
  });

  test('a hold of less than five seconds has its next payment attempt when it ends', () => {
    const short = legal(Booking.request(aRequest(), aSpace(), { ...CONTEXT, holdSeconds: 2 }));
    expect(short.state.holdExpiresAt).toEqual(secondsAfter(NOW, 2));
    expect(short.state.nextPaymentAttemptAt).toEqual(secondsAfter(NOW, 2));
  });
});

describe('a deferred payment', () => {
  const deferred = (paymentAttempts: number, now: Date) =>
    legal(new Booking({ ...aBooking().state, paymentAttempts }).deferPayment(now)).state;

  test.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [6, 32],
    [7, 60],
    [8, 60],
    [2_000, 60],
  ])('a deferred payment is retried, after attempt %d, in %d s', (attempts, seconds) => {
    expect(deferred(attempts, NOW).nextPaymentAttemptAt).toEqual(secondsAfter(NOW, seconds));
  });

  test('a deferred payment is retried no later than the end of the hold, which does not move', () => {
    const nearTheEnd = secondsAfter(HOLD_END, -3);
    expect(deferred(7, nearTheEnd)).toMatchObject({
      nextPaymentAttemptAt: HOLD_END,
      holdExpiresAt: HOLD_END,
    });
  });
});
