import type { ChangeStore, PaymentChange } from './application/change-store.ts';
import type { GoodwillStore } from './application/goodwill-store.ts';
import type { Currency, Payment } from './domain/payment.ts';
import type { RefundDecision } from './domain/refund-decision.ts';

/** The events by which payment publishes a change of a payment. */
export type PaymentEventType =
  | 'PaymentApproved'
  | 'PaymentDeclined'
  | 'PaymentRefundFailed'
  | 'PaymentRefunded'
  | 'PaymentAdjusted'
  | 'PaymentCancelled';

/** The obligation to refund a payment for its cancellation; at most one per payment, due until it is completed. */
export interface Refund {
  /** The refund's idempotency key at the provider. */
  id: string;
  paymentId: string;
  amount: number;
  completed: boolean;
  /** Paid to the customer another way than through the provider. */
  completedOutside: boolean;
  /** Was it ever left to operators? The provider may have accepted it since. */
  hasFailed: boolean;
  /** Is an attempt running or due? False when it is completed, or waits for an operator or a goodwill refund. */
  isDue: boolean;
  /** The number of the lease: with another number, another process has it. */
  attempt: number;
}

export interface PaymentStore {
  findByBooking(bookingId: string): Promise<Payment | null>;
  /**
   * Writes the payment unless the booking has one already; returns the stored one. The charge of a new
   * one is leased to this process.
   */
  create(payment: Payment): Promise<{ payment: Payment; isNew: boolean }>;
  /** Leases a pending payment's charge to this process; false: another process has the lease. */
  claimCharge(paymentId: string): Promise<boolean>;
  /** Ends the lease of a charge that is still undecided. */
  releaseCharge(paymentId: string): Promise<void>;
  /**
   * Writes the next version with its event. An approval is published only if no refund is owed when it
   * is written. In the same transaction `completesRefund` ends the obligation, `failsRefund` leaves it
   * to operators. `stale`: the stored version is no longer `previous`.
   */
  save(
    previous: Payment,
    next: Payment,
    eventType: PaymentEventType,
    options?: { completesRefund?: boolean; failsRefund?: boolean },
  ): Promise<'saved' | 'stale'>;
  /**
   * Records that up to `refund` of the booking's charges, made or yet to be made, is owed, as far as goodwill
   * refunds and refunds of changes leave it. A booking without a payment gets `tombstone` and its event. Once per
   * booking: true when this call recorded the obligation and leased it to this process. One that depends on a
   * goodwill refund or a reduction under way is due when that has ended.
   */
  recordRefundObligation(tombstone: Payment, refund: number, eventId: string): Promise<boolean>;
  /** Stores the id of an event that changes nothing. */
  markProcessed(eventId: string): Promise<void>;
  findRefund(paymentId: string): Promise<Refund | null>;
  /** Is a refund of the payment left to operators, for its cancellation or a change, beside the one of this id? */
  isAnotherRefundFailed(paymentId: string, refundId: string): Promise<boolean>;
  /** Leases up to `limit` due refunds, by the database's clock. Returns the ids of their bookings. */
  claimDueRefunds(limit: number): Promise<string[]>;
  /** Ends the lease of a failed attempt: due again after a pause, which doubles up to a minute. */
  postponeRefund(refund: Refund): Promise<void>;
  /**
   * As postponeRefund, after a refusal by the provider. Returns the number of refusals. A refund that
   * was left to operators before is left to them again.
   */
  refuseRefund(refund: Refund): Promise<number>;
  /**
   * Leases a failed refund to this process, with an audit entry. False, with nothing written, when it
   * has not failed or is leased already.
   */
  retryFailedRefund(payment: Payment, decision: RefundDecision): Promise<boolean>;
  /**
   * Completes a failed refund that is not leased, with the payment's next version, its event and the
   * audit entry. `stale`, with nothing written, when payment or refund has changed meanwhile.
   */
  resolveOutside(
    previous: Payment,
    next: Payment,
    decision: RefundDecision,
  ): Promise<'saved' | 'stale'>;
}

/** A charge as the provider reports it. */
export type Charge = { outcome: 'approved' } | { outcome: 'declined'; reason: string };

/** The provider does not work or does not respond. Whether it acted is unknown. */
export class ProviderUnavailable extends Error {
  override name = 'ProviderUnavailable';
}

/**
 * The provider works, and has not decided this charge: one payment method is in trouble, such as a
 * card issuer that is busy or silent. Whether the charge will be made is unknown.
 */
export class ChargeUndecided extends Error {
  override name = 'ChargeUndecided';
}

/** The provider works, and refuses this refund: nothing was refunded. */
export class RefundRefused extends Error {
  override name = 'RefundRefused';
}

/**
 * The payment provider. Every call carries a key and is safe to repeat, one call after another: the
 * provider acts on a key once. A {@link ProviderUnavailable} means that the outcome is unknown.
 */
export interface PaymentProvider {
  /** Charges the key once; returns the first outcome when repeated. May throw {@link ChargeUndecided}. */
  charge(request: {
    key: string;
    /** Groups the charges of one booking: the key of the first of them. */
    account: string;
    amount: number;
    currency: Currency;
    /** Null: the method of the account's first charge. */
    paymentMethod: string | null;
  }): Promise<Charge>;
  /** The outcome of the key; null: nothing so far. */
  find(key: string): Promise<Charge | null>;
  /** Prevents any charge of the key; `approved` when it is charged already. */
  void(key: string): Promise<'voided' | 'approved'>;
  /** Refunds `amount` of the account's charges, once per `refundKey`. May throw {@link RefundRefused}. */
  refund(account: string, refundKey: string, amount: number): Promise<void>;
}

/** Work that continues after its request has got a response. */
export interface Background {
  /** The result of the work, or `undecided` after the longest time that a request may wait. */
  within<T>(work: Promise<T>): Promise<T | 'undecided'>;
}

export interface PaymentPorts {
  background: Background;
  /** The charges that this process is making, by booking. */
  chargesInProgress: Map<string, Promise<Payment>>;
  /** The charges of changes that this process is making, by change. */
  changesInProgress: Map<string, Promise<PaymentChange>>;
  payments: PaymentStore;
  goodwill: GoodwillStore;
  changes: ChangeStore;
  provider: PaymentProvider;
  /** The number of refusals by the provider after which a refund is left to operators. */
  maxRefundAttempts: number;
  clock: () => Date;
  newId: () => string;
  correlationId: () => string;
  /** Runs work that no request has caused under the correlation id of the payment's booking. */
  resume: (payment: Payment, work: () => Promise<void>) => Promise<void>;
  log: Record<
    'info' | 'warn' | 'error',
    (message: string, fields: Record<string, unknown>) => void
  >;
}
