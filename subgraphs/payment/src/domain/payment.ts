import type { PaymentStatus } from './payment-status.ts';
import type { IllegalTransition } from './refusals.ts';

export type Currency = 'KRW' | 'USD' | 'EUR' | 'JPY';

export interface PaymentState {
  id: string;
  bookingId: string;
  customerId: string;
  spaceId: string;
  slot: { startAt: Date; endAt: Date };
  /** In the currency's minor unit. */
  amount: number;
  currency: Currency;
  /** The provider's token; empty as soon as the charge is decided. */
  paymentMethod: string;
  status: PaymentStatus;
  refunded: number;
  declineReason: string | null;
  version: number;
  requestedAt: Date;
  approvedAt: Date | null;
  correlationId: string;
}

/** What book asks to be paid. */
export type PaymentRequest = Pick<
  PaymentState,
  'bookingId' | 'customerId' | 'spaceId' | 'slot' | 'amount' | 'currency' | 'paymentMethod'
>;

/** The one payment of a booking: immutable, every transition returns the next version. */
export class Payment {
  readonly state: Readonly<PaymentState>;

  constructor(state: PaymentState) {
    this.state = state;
  }

  static request(
    request: PaymentRequest,
    made: { id: string; now: Date; correlationId: string },
  ): Payment {
    return new Payment({
      ...request,
      id: made.id,
      status: 'PENDING',
      refunded: 0,
      declineReason: null,
      version: 1,
      requestedAt: made.now,
      approvedAt: null,
      correlationId: made.correlationId,
    });
  }

  /** A payment that was never asked for and now never can be: the booking ended first. */
  static tombstone(
    request: PaymentRequest,
    made: { id: string; now: Date; correlationId: string },
  ): Payment {
    return Payment.request(request, made).decided({ status: 'VOIDED' });
  }

  /** Has the provider's answer come? */
  get settled(): boolean {
    return this.state.status !== 'PENDING';
  }

  /** The provider took the money. */
  approve(now: Date): Payment | IllegalTransition {
    if (this.settled) return this.illegal('approve');
    return this.decided({ status: 'APPROVED', approvedAt: now });
  }

  decline(reason: string): Payment | IllegalTransition {
    if (this.settled) return this.illegal('decline');
    return this.decided({ status: 'DECLINED', declineReason: reason });
  }

  /** The provider promised that it has taken no money and never will. */
  void(): Payment | IllegalTransition {
    if (this.settled) return this.illegal('void');
    return this.decided({ status: 'VOIDED' });
  }

  /** The customer got `amount` of the money back; nothing when nothing was owed. */
  refund(amount: number): Payment | IllegalTransition {
    if (!this.refundable) return this.illegal('refund');
    return this.next({ status: this.statusAfterRefund(amount), refunded: amount });
  }

  /** The provider has refused the refund so often that an operator must resolve it. */
  failRefund(): Payment | IllegalTransition {
    if (this.state.status !== 'APPROVED') return this.illegal('failRefund');
    return this.next({ status: 'REFUND_FAILED' });
  }

  /** Nothing was charged and the booking is given up: the last version, which says just that. */
  close(): Payment | IllegalTransition {
    if (this.state.status !== 'DECLINED') return this.illegal('close');
    return this.next({});
  }

  private get refundable(): boolean {
    return this.state.status === 'APPROVED' || this.state.status === 'REFUND_FAILED';
  }

  private statusAfterRefund(amount: number): PaymentStatus {
    if (amount === 0) return 'APPROVED';
    return amount < this.state.amount ? 'PARTIALLY_REFUNDED' : 'REFUNDED';
  }

  /** The payment method has served its purpose. */
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
