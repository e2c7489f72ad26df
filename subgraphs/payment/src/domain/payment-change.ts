import { amountLeft, type ChargeBalance } from './charge-balance.ts';
import { isCharged } from './payment-status.ts';

/**
 * What became of the charge of a change. VOIDED: released before it was made. Of a change that costs less:
 * APPROVED when what it gives back is reserved, VOIDED when book has released it.
 */
export type ChangeChargeStatus = 'PENDING' | 'APPROVED' | 'DECLINED' | 'VOIDED';

/** What book requests for a change of a booking that costs more, or gives back a part. */
export interface ChangeCharge {
  /** Also the charge's idempotency key at the provider. */
  changeId: string;
  bookingId: string;
  /** In the currency's minor unit, at least 1. */
  amount: number;
}

/** Of the sum of all charges: the columns and GraphQL's Int end here. */
const MAX_CHARGED = 2 ** 31 - 1;

/**
 * The status of a new charge: only what has charges, and has not ended, is charged more, and never more than
 * can be recorded.
 */
export function firstChargeStatus(balance: ChargeBalance, amount: number): 'PENDING' | 'DECLINED' {
  const isRecordable = balance.amount + balance.chargesPending + amount <= MAX_CHARGED;
  return isCharged(balance.status) && !balance.hasEnded && isRecordable ? 'PENDING' : 'DECLINED';
}

/** The status of a new reduction: it is reserved where other refunds, also those under way, leave that much. */
export function firstReductionStatus(
  balance: ChargeBalance,
  amount: number,
): 'APPROVED' | 'DECLINED' {
  const isLeft = isCharged(balance.status) && amount <= amountLeft(balance);
  return isLeft && !balance.hasEnded ? 'APPROVED' : 'DECLINED';
}

/** Of `amount`, which a change gives back, what other refunds leave of the charges. */
export function refundableAmount(balance: ChargeBalance, amount: number): number {
  return isCharged(balance.status) ? Math.max(0, Math.min(amount, amountLeft(balance))) : 0;
}

/** The refund's key at the provider, which may have one space of keys for all calls. */
export function changeRefundKey(changeId: string): string {
  return `refund-of-change-${changeId}`;
}
