import type { GoodwillRequest } from '../domain/goodwill.ts';
import type { Payment } from '../domain/payment.ts';
import type { IdempotencyKeyReused, RefundRefusal } from '../domain/refusals.ts';

/** The obligation of a goodwill refund; a payment may have several. */
export interface GoodwillRefund extends GoodwillRequest {
  /** The refund's idempotency key at the provider. */
  id: string;
  paymentId: string;
  /** `due`: an attempt is running or comes. `failed`: the provider refused it too often. */
  state: 'due' | 'completed' | 'failed';
  /** The number of the lease: with another number, another process has it. */
  attempt: number;
}

export interface GoodwillStore {
  /**
   * Records the obligation with its audit entry, leased to this process, unless a rule forbids it. The
   * balance of the charge is read under the lock that a cancellation needs too. `isNew` is false for a
   * repeated request.
   */
  record(
    request: GoodwillRequest,
  ): Promise<{ id: string; isNew: boolean } | RefundRefusal | IdempotencyKeyReused>;
  find(id: string): Promise<GoodwillRefund | null>;
  /** Leases up to `limit` due refunds, by the database's clock. Returns their ids. */
  claimDue(limit: number): Promise<string[]>;
  /** Ends the lease of a failed attempt: due again after a pause, which doubles up to a minute. */
  postpone(refund: GoodwillRefund): Promise<void>;
  /** As postpone, after a refusal by the provider. Returns the number of refusals; 0: it is over. */
  refuse(refund: GoodwillRefund): Promise<number>;
  /**
   * Completes the refund with the payment's next version and its event. `stale`: the stored version is no
   * longer `previous`. `over`: it has failed, and what is left no longer covers it. Nothing is written then.
   */
  complete(
    refund: GoodwillRefund,
    previous: Payment,
    next: Payment,
  ): Promise<'saved' | 'stale' | 'over'>;
  /**
   * Ends the refund as failed, with an audit entry: its amount is available again, first to a
   * cancellation that waits for it. False when it is over already.
   */
  fail(refund: GoodwillRefund): Promise<boolean>;
}
