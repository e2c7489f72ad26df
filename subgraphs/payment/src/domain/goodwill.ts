import { amountLeft, type ChargeBalance } from './charge-balance.ts';
import { isCharged } from './payment-status.ts';
import type { IdempotencyKeyReused, RefundRefusal } from './refusals.ts';

/** An operator gives back a part of a charge, beyond what the policy says. */
export interface GoodwillRequest {
  bookingId: string;
  /** In the currency's minor unit, at least 1. */
  amount: number;
  reason: string;
  /** One refund for each key, whichever operator repeats the request. */
  idempotencyKey: string;
  operatorId: string;
}

/** The rule that forbids a goodwill refund of `amount`; null: it may be made. */
export function findGoodwillRefusal(balance: ChargeBalance, amount: number): RefundRefusal | null {
  // A voided payment was never charged.
  if (balance.status === 'VOIDED') return paymentNotFound;
  if (balance.status === 'PENDING') {
    return invalid('The payment is not approved yet: there is nothing to refund.');
  }
  if (!isCharged(balance.status)) {
    return invalid('The payment was declined: there is nothing to refund.');
  }
  const left = amountLeft(balance);
  if (amount > left) {
    return invalid(`Of this charge ${left} ${balance.currency} is left: refund at most that.`);
  }
  return null;
}

/** Does the key stand for the same request? Which operator sends it makes no difference. */
export function isSameGoodwill(
  one: Omit<GoodwillRequest, 'operatorId'>,
  other: Omit<GoodwillRequest, 'operatorId'>,
): boolean {
  return (
    one.bookingId === other.bookingId &&
    one.amount === other.amount &&
    one.reason === other.reason &&
    one.idempotencyKey === other.idempotencyKey
  );
}

export const paymentNotFound: RefundRefusal = {
  type: 'PaymentNotFound',
  message: 'There is no payment of this booking.',
};

export const keyReused: IdempotencyKeyReused = {
  type: 'IdempotencyKeyReused',
  message: 'This idempotency key was used for another refund: choose a new one.',
};

const invalid = (message: string): RefundRefusal => ({ type: 'InvalidRefund', message });
