import { describe, expect, test } from '@jest/globals';
import type { ChargeBalance } from '../src/domain/charge-balance.ts';
import {
  findGoodwillRefusal,
  type GoodwillRequest,
  isSameGoodwill,
} from '../src/domain/goodwill.ts';

const balance = (changes: Partial<ChargeBalance> = {}): ChargeBalance => ({
  status: 'APPROVED',
  amount: 60_000,
  currency: 'KRW',
  hasEnded: false,
  chargesPending: 0,
  refundOwed: 0,
  goodwillOwed: 0,
  changesOwed: 0,
  ...changes,
});

describe('the rule of goodwill refunds', () => {
  test.each([
    ['nothing was refunded', {}, 60_000],
    ['a cancellation refunds a half', { refundOwed: 30_000 }, 30_000],
    ['other goodwill refunds were made or are under way', { goodwillOwed: 50_000 }, 10_000],
    ['changes gave back a part, or will', { changesOwed: 20_000 }, 40_000],
    ['all three', { refundOwed: 20_000, goodwillOwed: 29_999, changesOwed: 10_000 }, 1],
    [
      'a refund has failed and is still owed',
      { refundOwed: 20_000, status: 'REFUND_FAILED' },
      40_000,
    ],
    ['the charge is refunded', { refundOwed: 60_000, status: 'REFUNDED' }, 0],
  ] as const)('a charge of 60000 of which %s leaves what it says', (_, changes, left) => {
    if (left > 0) expect(findGoodwillRefusal(balance(changes), left)).toBeNull();
    expect(findGoodwillRefusal(balance(changes), left + 1)).toEqual({
      type: 'InvalidRefund',
      message: `Of this charge ${left} KRW is left: refund at most that.`,
    });
  });

  test.each([
    ['PENDING', 'InvalidRefund'],
    ['DECLINED', 'InvalidRefund'],
    ['VOIDED', 'PaymentNotFound'],
  ] as const)('a payment that is %s is refused as %s', (status, type) => {
    expect(findGoodwillRefusal(balance({ status }), 1)).toMatchObject({ type });
  });
});

describe('the idempotency key of a goodwill refund', () => {
  const request: GoodwillRequest = {
    bookingId: 'b1',
    amount: 1_000,
    reason: 'the heating was off',
    idempotencyKey: 'k1',
    operatorId: 'olga',
  };

  test('a key stands for the same request by any operator', () => {
    expect(isSameGoodwill(request, { ...request, operatorId: 'otto' } as GoodwillRequest)).toBe(
      true,
    );
  });

  test.each([
    { bookingId: 'b2' },
    { amount: 1_001 },
    { reason: 'noise' },
    { idempotencyKey: 'k2' },
  ])('a key stands for no request with %j', (change) => {
    expect(isSameGoodwill(request, { ...request, ...change })).toBe(false);
  });
});
