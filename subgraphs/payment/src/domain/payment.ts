import { isCharged, type PaymentStatus } from './payment-status.ts';
import type { IllegalTransition } from './refusals.ts';

export type Currency = 'KRW' | 'USD' | 'EUR' | 'JPY';

export interface PaymentState {
  id: string;
  bookingId: string;
  customerId: string;
  spaceId: string;
  /** Space and slot decide nothing here: the events carry them to space, which registers the use. */
  slot: { startAt: Date; endAt: Date };
  /** The sum of all charges, in the currency's minor unit. */
  amount: number;
  currency: Currency;
  /** The provider's token; empty once the charge is decided. */
  paymentMethod: string;
  status: PaymentStatus;
  refunded: number;
  /** Of `refunded`, what operators gave back beyond the policy. */
  goodwill: number;
  /** Of `refunded`, what was given back because the booking changed. */
  refundedForChanges: number;
  declineReason: string | null;
  version: number;
  requestedAt: Date;
  approvedAt: Date | null;
  correlationId: string;
}

/** What a payment knows of its booking, however that ends. */
export type PayableBooking = Pick<
  PaymentState,
  'bookingId' | 'customerId' | 'spaceId' | 'slot' | 'amount' | 'currency'
>;

/** The charge that book requests. */
export type PaymentRequest = PayableBooking & Pick<PaymentState, 'paymentMethod'>;

/** The identity of a new payment. */
interface Creation {
  id: string;
  now: Date;
  correlationId: string;
}

/** The one payment of a booking: immutable, every transition returns the next version. */
export class Payment {
  readonly state: Readonly<PaymentState>;

  constructor(state: PaymentState) {
    this.state = state;
  }

  static request(request: PaymentRequest, creation: Creation): Payment {
    return new Payment({
      ...request,
      id: creation.id,
      status: 'PENDING',
      refunded: 0,
      goodwill: 0,
      refundedForChanges: 0,
      declineReason: null,
      version: 1,
      requestedAt: creation.now,
      approvedAt: null,
      correlationId: creation.correlationId,
    });
  }

  /** The payment of a booking that ended before it was requested: a later request charges nothing. */
  static tombstone(booking: PayableBooking, creation: Creation): Payment {
    const request = { ...booking, paymentMethod: '' };
    return Payment.request(request, creation).decided({ status: 'VOIDED' });
  }

  /** Is it known what the provider did? */
  get isDecided(): boolean {
    return this.state.status !== 'PENDING';
  }

  /** Is the payment charged, and has a cancellation refunded nothing of it? */
  get awaitsRefund(): boolean {
    const { status, refunded, goodwill, refundedForChanges } = this.state;
    return isCharged(status) && refunded === goodwill + refundedForChanges;
  }

  /** The provider made the charge. */
  approve(now: Date): Payment | IllegalTransition {
    if (this.isDecided) return this.illegal('approve');
    return this.decided({ status: 'APPROVED', approvedAt: now });
  }

  decline(reason: string): Payment | IllegalTransition {
    if (this.isDecided) return this.illegal('decline');
    return this.decided({ status: 'DECLINED', declineReason: reason });
  }

  /** The provider has made no charge and never will. */
  void(): Payment | IllegalTransition {
    if (this.isDecided) return this.illegal('void');
    return this.decided({ status: 'VOIDED' });
  }

  /** A change of the booking was charged. */
  addCharge(charged: number): Payment | IllegalTransition {
    if (!isCharged(this.state.status)) return this.illegal('addCharge');
    const amount = this.state.amount + charged;
    return this.next({ amount, status: this.statusBeside(this.state.refunded, amount) });
  }

  /**
   * `amount` was refunded for the cancellation; 0 when nothing was owed. `isAnotherFailed`: is another
   * refund of the payment left to operators?
   */
  refund(amount: number, isAnotherFailed = false): Payment | IllegalTransition {
    if (!this.awaitsRefund) return this.illegal('refund');
    const refunded = this.state.refunded + amount;
    return this.next({ status: this.statusAfter(refunded, isAnotherFailed), refunded });
  }

  /** As {@link refund}, because the booking changed. */
  refundChange(amount: number, isAnotherFailed = false): Payment | IllegalTransition {
    const { status, refundedForChanges } = this.state;
    const refunded = this.state.refunded + amount;
    if (!isCharged(status) || refunded > this.state.amount) return this.illegal('refundChange');
    return this.next({
      status: this.statusAfter(refunded, isAnotherFailed),
      refunded,
      refundedForChanges: refundedForChanges + amount,
    });
  }

  /** The provider keeps refusing a refund that is owed: an operator must resolve it. */
  failRefund(): Payment | IllegalTransition {
    if (!isCharged(this.state.status)) return this.illegal('failRefund');
    return this.next({ status: 'REFUND_FAILED' });
  }

  /** `amount` was given back beyond the policy, before a cancellation or after it. */
  refundGoodwill(amount: number): Payment | IllegalTransition {
    const { status, goodwill } = this.state;
    const refunded = this.state.refunded + amount;
    if (!isCharged(status) || refunded > this.state.amount) return this.illegal('refundGoodwill');
    return this.next({
      status: this.statusBeside(refunded),
      refunded,
      goodwill: goodwill + amount,
    });
  }

  /** The last version of a declined payment whose booking has ended: nothing is owed. */
  close(): Payment | IllegalTransition {
    if (this.state.status !== 'DECLINED') return this.illegal('close');
    return this.next({});
  }

  private statusAfter(refunded: number, isAnotherFailed: boolean): PaymentStatus {
    return isAnotherFailed ? 'REFUND_FAILED' : statusAfterRefund(refunded, this.state.amount);
  }

  /** Of a version that ends no failed refund: one that has failed is still owed. */
  private statusBeside(refunded: number, amount = this.state.amount): PaymentStatus {
    const { status } = this.state;
    return status === 'REFUND_FAILED' ? status : statusAfterRefund(refunded, amount);
  }

  /** A decided payment needs no payment method: it is deleted. */
  private decided(changes: Partial<PaymentState>): Payment {
    return this.next({ ...changes, paymentMethod: '' });
  }

  private next(changes: Partial<PaymentState>): Payment {
    return new Payment({ ...this.state, ...changes, version: this.state.version + 1 });
  }

  private illegal(verb: string): IllegalTransition {
    return { type: 'IllegalTransition', from: this.state.status, verb };
  }
}

function statusAfterRefund(refunded: number, amount: number): PaymentStatus {
  if (refunded === 0) return 'APPROVED';
  return refunded < amount ? 'PARTIALLY_REFUNDED' : 'REFUNDED';
}
