import type { Currency } from './payment.ts';
import type { PaymentStatus } from './payment-status.ts';

/** The charges of a booking, and what of them is refunded already or promised to the customer. */
export interface ChargeBalance {
  status: PaymentStatus;
  /** The sum of the charges, in the currency's minor unit. */
  amount: number;
  currency: Currency;
  /** Has the booking been cancelled or released? */
  hasEnded: boolean;
  /** What the cancellation refunds, now or later. */
  refundOwed: number;
  /** The sum of the goodwill refunds that are completed or under way. */
  goodwillOwed: number;
  /** The sum of the refunds of changes; one that has failed is still owed. */
  changesOwed: number;
  /** The sum of the charges of changes that may still be made. */
  chargesPending: number;
}

/** What may still be given back. */
export function amountLeft(balance: ChargeBalance): number {
  const { amount, refundOwed, goodwillOwed, changesOwed } = balance;
  return amount - refundOwed - goodwillOwed - changesOwed;
}
