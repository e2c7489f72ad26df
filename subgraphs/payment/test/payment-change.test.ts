import { describe, expect, test } from '@jest/globals';
import type { ChargeBalance } from '../src/domain/charge-balance.ts';
import {
  changeRefundKey,
  firstChargeStatus,
  firstReductionStatus,
  refundableAmount,
} from '../src/domain/payment-change.ts';
import type { PaymentStatus } from '../src/domain/payment-status.ts';

const balance = (changes: Partial<ChargeBalance> = {}): ChargeBalance => ({
  ...{ status: 'APPROVED', amount: 60_000, currency: 'KRW', hasEnded: false },
  ...{ refundOwed: 0, goodwillOwed: 0, changesOwed: 0, chargesPending: 0, ...changes },
});
const CHARGED: PaymentStatus[] = ['APPROVED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'REFUND_FAILED'];
const NOT_CHARGED: PaymentStatus[] = ['PENDING', 'DECLINED', 'VOIDED'];

describe('the rules of changes of a booking', () => {
  test.each(CHARGED)(
    'a payment that is %s may be charged more, unless its booking has ended',
    (status) => {
      expect(firstChargeStatus(balance({ status }), 1)).toBe('PENDING');
      expect(firstChargeStatus(balance({ status, hasEnded: true }), 1)).toBe('DECLINED');
    },
  );

  test.each(NOT_CHARGED)(
    'a payment that is %s is charged nothing more, and gives nothing back',
    (status) => {
      expect(firstChargeStatus(balance({ status }), 1)).toBe('DECLINED');
      expect(firstReductionStatus(balance({ status }), 1)).toBe('DECLINED');
      expect(refundableAmount(balance({ status }), 1)).toBe(0);
    },
  );

  test('no more is charged than the sum of all charges can record', () => {
    const largest = 2 ** 31 - 1 - 60_000;
    expect(firstChargeStatus(balance(), largest)).toBe('PENDING');
    expect(firstChargeStatus(balance(), largest + 1)).toBe('DECLINED');
    expect(firstChargeStatus(balance({ chargesPending: 1 }), largest)).toBe('DECLINED');
  });

  test('a reduction is reserved as far as other refunds leave it, whole or not at all', () => {
    expect(firstReductionStatus(balance(), 60_000)).toBe('APPROVED');
    expect(firstReductionStatus(balance(), 60_001)).toBe('DECLINED');
    expect(firstReductionStatus(balance({ goodwillOwed: 50_000 }), 10_000)).toBe('APPROVED');
    expect(firstReductionStatus(balance({ goodwillOwed: 50_000 }), 10_001)).toBe('DECLINED');
    expect(firstReductionStatus(balance({ hasEnded: true }), 1)).toBe('DECLINED');
  });

  test.each([
    [{}, 60_000],
    [{ refundOwed: 30_000 }, 30_000],
    [{ goodwillOwed: 50_000 }, 10_000],
    [{ changesOwed: 20_000 }, 40_000],
    [{ refundOwed: 20_000, goodwillOwed: 20_000, changesOwed: 20_000 }, 0],
  ])('a charge of 60000 of which %j is owed gives back at most %d', (owed, left) => {
    expect(refundableAmount(balance(owed), left)).toBe(left);
    expect(refundableAmount(balance(owed), 60_001)).toBe(left);
    expect(refundableAmount(balance(owed), 1)).toBe(Math.min(1, left));
  });

  test('a refund has another key at the provider than the charge', () => {
    expect(changeRefundKey('c1')).toBe('refund-of-change-c1');
  });
});
