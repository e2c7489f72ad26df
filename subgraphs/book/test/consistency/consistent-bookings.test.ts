import { describe, expect, test } from '@jest/globals';
import { findViolations } from '../../src/domain/consistency.ts';
import { cancelled, records } from './booking-records.ts';

describe('the comparison of a booking across the contexts', () => {
  test('a confirmed and a cancelled booking violate nothing', () => {
    expect(findViolations(records())).toEqual([]);
    expect(findViolations(cancelled())).toEqual([]);
  });

  test.each([
    ['a part of it', 10_000, 'PARTIALLY_REFUNDED'],
    ['all of it', 30_000, 'REFUNDED'],
  ])(
    'a confirmed booking of which operators gave back %s violates nothing',
    (_, goodwill, status) => {
      expect(
        findViolations(
          records({
            payment: { status, refunded: goodwill, goodwill },
            view: { paymentStatus: status, refunded: goodwill },
          }),
        ),
      ).toEqual([]);
    },
  );

  test.each([
    ['cheaper', 45_000, 15_000, 0],
    ['dearer', 30_000, 0, 0],
    ['cheaper alongside goodwill', 45_000, 15_000, 10_000],
  ])(
    'a confirmed booking that a change made %s violates nothing',
    (_, amount, refundedForChanges, goodwill) => {
      const refunded = refundedForChanges + goodwill;
      const whole = refunded === amount ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
      const status = refunded === 0 ? 'APPROVED' : whole;
      expect(
        findViolations(
          records({
            payment: { status, amount, refunded, refundedForChanges, goodwill },
            view: { paymentStatus: status, refunded },
          }),
        ),
      ).toEqual([]);
    },
  );

  test('a cancelled booking that was refunded what changes had left violates nothing', () => {
    const refunded = { refunded: 35_000, refundedForChanges: 20_000 };
    expect(
      findViolations(
        cancelled({ payment: { amount: 50_000, ...refunded }, view: { refunded: 35_000 } }),
      ),
    ).toEqual([]);
  });

  test.each([
    ['before the cancellation, which was refunded what was left', 20_000, 10_000],
    ['before or after the cancellation, which was refunded as quoted', 5_000, 15_000],
    ['whole before the cancellation, which refunded nothing', 30_000, 0],
  ])('a cancelled booking with goodwill given %s violates nothing', (_, goodwill, refundDue) => {
    const refunded = goodwill + refundDue;
    const status = refunded === 30_000 ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
    expect(
      findViolations(
        cancelled({
          payment: { status, refunded, goodwill, refundDue },
          view: { paymentStatus: status, refunded },
        }),
      ),
    ).toEqual([]);
  });

  test('a declined booking without a charge violates nothing', () => {
    const declined = records({
      booking: { status: 'DECLINED' },
      payment: { status: 'DECLINED', chargedByProvider: false },
      registration: null,
      view: { status: 'DECLINED', paymentStatus: 'DECLINED', registrationStatus: null },
    });
    expect(findViolations(declined)).toEqual([]);
  });

  test('a booking that expired before its payment was charged violates nothing', () => {
    const expired = records({
      booking: { status: 'EXPIRED' },
      payment: { status: 'VOIDED', chargedByProvider: false },
      registration: { status: 'CANCELLED', paymentId: null },
      view: { status: 'EXPIRED', paymentStatus: null, registrationStatus: 'CANCELLED' },
    });
    expect(findViolations(expired)).toEqual([]);
  });
});
