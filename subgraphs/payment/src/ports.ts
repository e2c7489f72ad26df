import type { Currency, Payment } from './domain/payment.ts';

/** The events by which payment publishes a change of a payment. */
export type PaymentNews =
  | 'PaymentApproved'
  | 'PaymentDeclined'
  | 'PaymentRefundFailed'
  | 'PaymentCancelled';

/** The obligation to give money back; at most one per payment, due until it is settled. */
export interface Refund {
  /** The refund's idempotency key at the provider. */
  id: string;
  paymentId: string;
  amount: number;
  settled: boolean;
  /** Given back another way than through the provider. */
  settledOutside: boolean;
  /** Has the provider ever refused it for good? It may have accepted it since. */
  failed: boolean;
  /** Is an attempt under way or due? No when it is settled or waits for an operator. */
  isDue: boolean;
  /** Numbers the leases: with another number, another process has it. */
  attempt: number;
}

/** Who resolves a refund that failed, and why. */
export interface RefundDecision {
  operatorId: string;
  reason: string;
}

export interface PaymentStore {
  findByBooking(bookingId: string): Promise<Payment | null>;
  /**
   * Writes the payment unless the booking has one already; returns the one that it has. A new one is
   * leased to the caller, who charges it now.
   */
  request(payment: Payment): Promise<{ payment: Payment; isNew: boolean }>;
  /** Leases a pending payment's charge to the caller; false: another process charges it now. */
  claimCharge(paymentId: string): Promise<boolean>;
  /** Ends the lease of a charge that is still undecided. */
  releaseCharge(paymentId: string): Promise<void>;
  /**
   * Writes the next version with its event. An approval is published only when no refund is owed at
   * the moment at which it is written. `settlesRefund` closes the refund obligation, `failsRefund`
   * leaves it to operators, in the same transaction. `stale` when the stored version is not
   * `previous` any more.
   */
  save(
    previous: Payment,
    next: Payment,
    news: PaymentNews,
    options?: { settlesRefund?: boolean; failsRefund?: boolean },
  ): Promise<'saved' | 'stale'>;
  /**
   * Notes that the booking was given up: owes `refund` of whatever was or will be charged. A booking
   * without a payment gets `tombstone` and its event. Once per booking: true when this call made the
   * obligation, which is then leased to the caller.
   */
  giveUp(tombstone: Payment, refund: number, eventId: string): Promise<boolean>;
  /** Notes an event that changes nothing. */
  take(eventId: string): Promise<void>;
  refundOf(paymentId: string): Promise<Refund | null>;
  /** Leases up to `limit` refunds that are due by the database's clock. Returns their bookings' ids. */
  claimDueRefunds(limit: number): Promise<string[]>;
  /** Ends a lease in vain: the refund is due again after a pause, which doubles up to a minute. */
  postponeRefund(refund: Refund): Promise<void>;
  /**
   * The same after the provider has refused the refund. Returns how often it has. A refund that has
   * failed before is left to operators again.
   */
  refuseRefund(refund: Refund): Promise<number>;
  /**
   * Leases a failed refund to the caller with the audit entry of it. `false`, with nothing written,
   * when it is not failed any more or leased already.
   */
  retryFailedRefund(payment: Payment, decision: RefundDecision): Promise<boolean>;
  /**
   * Settles a failed refund that is not leased, with the payment's next version, its event and the
   * audit entry. `stale`, with nothing written, when either has changed meanwhile.
   */
  settleOutside(
    previous: Payment,
    next: Payment,
    decision: RefundDecision,
  ): Promise<'saved' | 'stale'>;
}

/** A charge as the provider tells of it. */
export type Charge = { outcome: 'approved' } | { outcome: 'declined'; reason: string };

/** The provider itself does not work or does not answer. Whether it acted is unknown. */
export class ProviderUnavailable extends Error {
  override name = 'ProviderUnavailable';
}

/**
 * The provider works, and has not decided this charge: trouble with one payment method, such as a
 * card issuer that is busy or silent. Whether money will be taken is unknown.
 */
export class ChargeUndecided extends Error {
  override name = 'ChargeUndecided';
}

/** The provider works, and refuses this refund: nothing was given back. */
export class RefundRefused extends Error {
  override name = 'RefundRefused';
}

/**
 * The payment provider. Every call carries a key and is safe to repeat, one call after another: the
 * provider acts on a key once. A {@link ProviderUnavailable} means that the outcome is unknown.
 */
export interface PaymentProvider {
  /** Takes the money for the key, or tells what it did for that key before. May throw {@link ChargeUndecided}. */
  charge(request: {
    key: string;
    amount: number;
    currency: Currency;
    paymentMethod: string;
  }): Promise<Charge>;
  /** What became of the key; null: nothing so far. */
  find(key: string): Promise<Charge | null>;
  /** Makes sure that the key is never charged, unless it was: then tells so. */
  void(key: string): Promise<'voided' | 'approved'>;
  /** Gives back `amount` of a charge, once per `refundKey`. May throw {@link RefundRefused}. */
  refund(chargeKey: string, refundKey: string, amount: number): Promise<void>;
}

/** Work that outlives the request that began it. */
export interface Background {
  /** The result of the work, or `undecided` when it takes longer than a request may wait for it. */
  within<T>(work: Promise<T>): Promise<T | 'undecided'>;
}

export interface PaymentPorts {
  background: Background;
  /** The charges that this process has under way, by booking. */
  underWay: Map<string, Promise<Payment>>;
  payments: PaymentStore;
  provider: PaymentProvider;
  /** After so many refusals by the provider a refund is left to operators. */
  maxRefundAttempts: number;
  clock: () => Date;
  newId: () => string;
  correlationId: () => string;
  /** Works for a payment on nobody's request, under the correlation id of its booking. */
  resume: (payment: Payment, work: () => Promise<void>) => Promise<void>;
  log: Record<'info' | 'warn' | 'error', (message: string, facts: Record<string, unknown>) => void>;
}
