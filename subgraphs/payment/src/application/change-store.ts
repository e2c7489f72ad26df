import type { Payment } from '../domain/payment.ts';
import type { ChangeCharge, ChangeChargeStatus } from '../domain/payment-change.ts';
import type { RefundDecision } from '../domain/refund-decision.ts';

/** What a change of a booking charges or gives back; a payment may have several. */
export interface PaymentChange {
  /** The id of the change, and the charge's idempotency key at the provider. */
  id: string;
  paymentId: string;
  bookingId: string;
  /** Charged, in the currency's minor unit; negative: given back. */
  difference: number;
  chargeStatus: ChangeChargeStatus;
  /** What is owed back, or was given back; null: nothing, or not yet known. */
  refundAmount: number | null;
  /** Is an attempt to prevent the charge or to refund running or due? */
  isDue: boolean;
  /** Was the refund ever left to operators? The provider may have accepted it since. */
  hasFailed: boolean;
  /** Is nothing more owed of a reduction, or of a charge that was released? */
  completed: boolean;
  /** Paid to the customer another way than through the provider. */
  completedOutside: boolean;
  /** The number of the lease of the refund: with another number, another process has it. */
  attempt: number;
}

/** A change as an event of book names it. */
export interface ChangeEvent {
  eventId: string;
  changeId: string;
  bookingId: string;
  /** In the currency's minor unit; negative: the booking costs less. */
  difference: number;
}

/** `stale`: the stored payment is no longer `previous`. `over`: the change has ended. Nothing is written then. */
export type ChangeSaved = 'saved' | 'stale' | 'over';

export interface ChangeStore {
  find(id: string): Promise<PaymentChange | null>;

  /**
   * Records the charge unless the change is known; returns the stored one. A new pending charge is leased to
   * this process. Null, with nothing written, when the booking has no payment.
   */
  create(charge: ChangeCharge): Promise<{ change: PaymentChange; isNew: boolean } | null>;
  /**
   * Reserves what a cheaper change would give back, or declines it, unless the change is known; returns the stored
   * one. Null, with nothing written, when the booking has no payment.
   */
  reserve(reduction: ChangeCharge): Promise<PaymentChange | null>;
  /** Leases a pending charge to this process; false: another one has the lease, or the change is released. */
  claimCharge(id: string): Promise<boolean>;
  /** Ends the lease of a charge that is still undecided. */
  releaseCharge(id: string): Promise<void>;
  /** Records the charge with the payment's next version and its event; owed back if the change is released. */
  approve(change: PaymentChange, previous: Payment, next: Payment): Promise<ChangeSaved>;
  /** Records that a pending charge was not made, and never will be. */
  end(id: string, status: 'DECLINED' | 'VOIDED'): Promise<void>;

  /**
   * Records what a cheaper change gives back, at most what is left of the charges. Returns the amount, whose
   * refund is leased to this process; 0: nothing is left; null: it was recorded before. Throws when the booking
   * has no payment.
   */
  owe(event: ChangeEvent): Promise<number | null>;
  /**
   * Records that a change does not take place. True when its charge must be prevented or refunded, which is then
   * leased to this process. A change that is not known is charged nothing from now on. Throws when the booking
   * has no payment.
   */
  release(event: ChangeEvent): Promise<boolean>;

  /** Leases up to `limit` due changes, by the database's clock. Returns their ids. */
  claimDue(limit: number): Promise<string[]>;
  /** Ends the lease of a failed attempt: due again after a pause, which doubles up to a minute. */
  postpone(change: PaymentChange): Promise<void>;
  /**
   * As postpone, after a refusal by the provider. Returns the number of refusals. A refund that was left to
   * operators before is left to them again.
   */
  refuse(change: PaymentChange): Promise<number>;
  /** Completes the refund with the payment's next version and its event. */
  complete(change: PaymentChange, previous: Payment, next: Payment): Promise<ChangeSaved>;
  /** Leaves the refund to operators, with the payment's next version and its event. */
  fail(change: PaymentChange, previous: Payment, next: Payment): Promise<ChangeSaved>;

  /** The changes of a payment whose refunds were ever left to operators. */
  findFailed(paymentId: string): Promise<PaymentChange[]>;
  /**
   * Leases the payment's failed refunds of changes that are not leased to this process, with one audit entry.
   * Returns the ids of their changes.
   */
  retryFailed(payment: Payment, decision: RefundDecision): Promise<string[]>;
  /** Completes failed refunds that are not leased, with the payment's next version, its event and an audit entry. */
  resolveOutside(
    changes: readonly PaymentChange[],
    previous: Payment,
    next: Payment,
    decision: RefundDecision,
  ): Promise<ChangeSaved>;
}
