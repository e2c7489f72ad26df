import { type BookingRequest, findProblem } from './booking-request.ts';
import { type RefundTier, refundByTier } from './cancellation-policy.ts';
import type { CatalogueSpace } from './catalogue-space.ts';
import { type BookingStatus, holdsSlot, isUnpaid, nextStatus, type Verb } from './lifecycle.ts';
import { calculatePrice, MAX_AMOUNT, type Money } from './money.ts';
import type { IllegalTransition, InvalidBookingRequest } from './refusals.ts';
import type { Role } from './role.ts';
import { lengthMs, type TimeSlot } from './time-slot.ts';

export interface BookingState {
  id: string;
  customerId: string;
  idempotencyKey: string;
  spaceId: string;
  hostId: string;
  spaceName: string;
  timeZone: string;
  slot: TimeSlot;
  headcount: number;
  /** Frozen at the request, like the refund tiers. */
  price: Money;
  refundTiers: readonly RefundTier[];
  /** Empty once the payment is not awaited any more. */
  paymentMethod: string;
  status: BookingStatus;
  /** Rises with every change; a store refuses to save over a newer one. */
  version: number;
  requestedAt: Date;
  holdExpiresAt: Date;
  paymentAttempts: number;
  /** When payment is requested again; null unless its outcome is unknown. */
  nextPaymentAttemptAt: Date | null;
  /** What the cancellation refunds, frozen when it was accepted. */
  refund: Money | null;
  paymentCancelled: boolean;
  registrationCancelled: boolean;
  correlationId: string;
}

/** When payment is requested again if the process ends between the commit and the payment call. */
const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 60_000;

/** A booking: immutable; every verb returns the next version, or that the lifecycle does not admit it. */
export class Booking {
  readonly state: Readonly<BookingState>;

  constructor(state: BookingState) {
    this.state = state;
  }

  /** Holds the slot at today's price and refund tiers, or names what is wrong with the request. */
  static request(
    request: BookingRequest,
    space: CatalogueSpace,
    context: { id: string; now: Date; holdSeconds: number; correlationId: string },
  ): Booking | InvalidBookingRequest {
    const problem = findProblem(request, space, context.now);
    if (problem) return { type: 'InvalidBookingRequest', ...problem };
    const amount = calculatePrice(space.hourlyRate, lengthMs(request.slot));
    if (amount === undefined) {
      return {
        type: 'InvalidBookingRequest',
        field: 'slot',
        message: `The price of this slot exceeds ${MAX_AMOUNT}: choose a shorter one.`,
      };
    }
    const nowMs = context.now.getTime();
    const holdExpiresMs = nowMs + context.holdSeconds * 1_000;
    return new Booking({
      ...request,
      id: context.id,
      hostId: space.hostId,
      spaceName: space.name,
      timeZone: space.timeZone,
      price: { amount, currency: space.currency },
      refundTiers: space.refundTiers,
      status: 'REQUESTED',
      version: 1,
      requestedAt: context.now,
      holdExpiresAt: new Date(holdExpiresMs),
      paymentAttempts: 1,
      nextPaymentAttemptAt: new Date(Math.min(nowMs + FIRST_RETRY_MS, holdExpiresMs)),
      refund: null,
      paymentCancelled: false,
      registrationCancelled: false,
      correlationId: context.correlationId,
    });
  }

  /** Whether it holds its slot against all others. */
  get live(): boolean {
    return holdsSlot(this.state.status, this.state.registrationCancelled);
  }

  get awaitsPayment(): boolean {
    return isUnpaid(this.state.status);
  }

  /**
   * Whether the booking was made by an equal request. `hasPaymentMethod` says whether its payment
   * method is the booking's, which may be erased here.
   */
  isSameRequest(request: BookingRequest, hasPaymentMethod: boolean): boolean {
    const { state } = this;
    return (
      state.spaceId === request.spaceId &&
      state.slot.startAt.getTime() === request.slot.startAt.getTime() &&
      state.slot.endAt.getTime() === request.slot.endAt.getTime() &&
      state.headcount === request.headcount &&
      hasPaymentMethod
    );
  }

  /** The payment's outcome is unknown: the hold stays, and payment is retried with backoff. `now` is the database's. */
  deferPayment(now: Date): Booking | IllegalTransition {
    const waitMs = Math.min(1_000 * 2 ** (this.state.paymentAttempts - 1), MAX_RETRY_MS);
    const retryMs = Math.min(now.getTime() + waitMs, this.state.holdExpiresAt.getTime());
    return this.apply('deferPayment', { nextPaymentAttemptAt: new Date(retryMs) });
  }

  approvePayment(): Booking | IllegalTransition {
    return this.apply('approvePayment');
  }

  declinePayment(): Booking | IllegalTransition {
    return this.apply('declinePayment');
  }

  /** The payment did not come in time; `now` is the database's. */
  expire(now: Date): Booking | IllegalTransition {
    if (now < this.state.holdExpiresAt) return this.illegal('expire');
    return this.apply('expire');
  }

  /** The use is registered. */
  confirm(): Booking | IllegalTransition {
    return this.apply('confirm');
  }

  /**
   * What a cancellation now would refund: all of it until the payment is confirmed or when the host
   * cancels, later by the tiers frozen at the request. Once cancelled, what that cancellation refunds.
   */
  quoteRefund(role: Role, now: Date): Money {
    const { state } = this;
    const all = state.price;
    switch (state.status) {
      case 'REQUESTED':
      case 'PAYMENT_DEFERRED':
        return all;
      case 'PAID':
      case 'REGISTERED':
        return role === 'host'
          ? all
          : refundByTier(all, state.refundTiers, state.slot.startAt, state.timeZone, now);
      case 'CANCELLING':
      case 'CANCELLED':
        return state.refund ?? { ...all, amount: 0 };
      case 'DECLINED':
      case 'EXPIRED':
        return { ...all, amount: 0 };
    }
  }

  /** Accepts the cancellation at the refund quoted now. Payment and space then cancel their parts. */
  cancel(role: Role, now: Date): Booking | IllegalTransition {
    if (now >= this.state.slot.endAt) return this.illegal('cancel');
    return this.apply('cancel', { refund: this.quoteRefund(role, now) });
  }

  /** The use cannot be registered: the whole price is refunded, whatever the tiers say. */
  rejectRegistration(): Booking | IllegalTransition {
    return this.apply('rejectRegistration', { refund: this.state.price });
  }

  /** Nothing more is charged or refunded. */
  completePaymentCancellation(): Booking | IllegalTransition {
    return this.apply(
      'completePaymentCancellation',
      { paymentCancelled: true },
      this.state.registrationCancelled,
    );
  }

  /** Nothing is registered any more. */
  completeRegistrationCancellation(): Booking | IllegalTransition {
    return this.apply(
      'completeRegistrationCancellation',
      { registrationCancelled: true },
      this.state.paymentCancelled,
    );
  }

  /**
   * The next version, as the lifecycle has it; `isLastStep`: with `completeCancellation` in it. The
   * payment method is erased in the version that stops awaiting the payment.
   */
  private apply(
    verb: Verb,
    changes: Partial<BookingState> = {},
    isLastStep = false,
  ): Booking | IllegalTransition {
    const { state } = this;
    let status = nextStatus(verb, state.status);
    if (status && isLastStep) status = nextStatus('completeCancellation', status);
    if (!status) return this.illegal(verb);
    const erased = isUnpaid(status) ? {} : { nextPaymentAttemptAt: null, paymentMethod: '' };
    return new Booking({ ...state, ...erased, ...changes, status, version: state.version + 1 });
  }

  private illegal(verb: Verb): IllegalTransition {
    return { type: 'IllegalTransition', from: this.state.status, verb };
  }
}
