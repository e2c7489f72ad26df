import { type BookingRequest, findProblem } from './booking-request.ts';
import type { BookingContext, BookingState } from './booking-state.ts';
import type { CatalogueSpace } from './catalogue-space.ts';
import { holdsSlot, isExpiring, isUnpaid, nextStatus, type Verb } from './lifecycle.ts';
import type { Money } from './money.ts';
import { isSameUse, quotePrice } from './price-quote.ts';
import { type RefundStep, refundAt, refundSchedule } from './refund-schedule.ts';
import type { IllegalTransition, InvalidBookingRequest } from './refusals.ts';
import type { Role } from './role.ts';
import { type TimeSlot, toHold } from './time-slot.ts';

/** When payment is requested again if the process ends between the commit and the payment call. */
const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 60_000;
const HOUR_MS = 3_600_000;

/** A booking: immutable; every verb returns the next version, or that the lifecycle does not admit it. */
export class Booking {
  readonly state: Readonly<BookingState>;

  constructor(state: BookingState) {
    this.state = state;
  }

  /**
   * Holds the slot at the price that {@link quotePrice} gives for the dates in `holidays`, or names what is
   * wrong with the request. The payment is requested at once, or when the host has approved.
   */
  static request(
    request: BookingRequest,
    space: CatalogueSpace,
    context: BookingContext,
  ): Booking | InvalidBookingRequest {
    const problem = findProblem(request, space, context.now);
    if (problem) return { type: 'InvalidBookingRequest', ...problem };
    const quote = quotePrice(space, request, context.holidays);
    if ('field' in quote) return { type: 'InvalidBookingRequest', ...quote };
    const { now } = context;
    const { bufferBeforeMinutes, bufferAfterMinutes, approvalHours } = space.bookingRules;
    const awaitsApproval = space.bookingMode === 'APPROVAL';
    const { startAt } = request.slot;
    const decideBefore = Math.min(now.getTime() + approvalHours * HOUR_MS, startAt.getTime());
    return new Booking({
      ...request,
      id: context.id,
      hostId: space.hostId,
      spaceName: space.name,
      timeZone: space.timeZone,
      price: quote.total,
      priceLines: quote.lines,
      vat: quote.vat,
      refundTiers: space.refundTiers,
      bufferBeforeMinutes,
      bufferAfterMinutes,
      status: awaitsApproval ? 'AWAITING_APPROVAL' : 'REQUESTED',
      version: 1,
      requestedAt: now,
      decision: null,
      rejectionReason: null,
      ...(awaitsApproval
        ? {
            holdExpiresAt: new Date(decideBefore),
            paymentAttempts: 0,
            nextPaymentAttemptAt: new Date(decideBefore),
          }
        : toFirstAttempt(now, context.holdSeconds, startAt)),
      refund: null,
      goodwill: { ...quote.total, amount: 0 },
      openChange: null,
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

  /** Whether its hold ends at `holdExpiresAt` unless something comes first. */
  get isExpiring(): boolean {
    return isExpiring(this.state.status);
  }

  get awaitsApproval(): boolean {
    return this.state.status === 'AWAITING_APPROVAL';
  }

  /** What it occupies: the slot with its buffers. */
  get hold(): TimeSlot {
    return toHold(this.state);
  }

  /**
   * Whether the booking was made by an equal request. `hasPaymentMethod` says whether its payment
   * method is the booking's, which may be erased here.
   */
  isSameRequest(request: BookingRequest, hasPaymentMethod: boolean): boolean {
    const { state } = this;
    return (
      state.spaceId === request.spaceId &&
      isSameUse(state, request) &&
      state.note === request.note &&
      hasPaymentMethod
    );
  }

  /** The host says yes, before the hold expires: the payment is requested now. `now` is the database's. */
  approve(now: Date, holdSeconds: number): Booking | IllegalTransition {
    if (now >= this.state.holdExpiresAt) return this.illegal('approve');
    const { startAt } = this.state.slot;
    const attempt = toFirstAttempt(now, holdSeconds, startAt);
    return this.apply('approve', { decision: 'APPROVED', ...attempt });
  }

  /** The host says no: nothing was charged. `now` is the database's. */
  reject(now: Date, reason: string): Booking | IllegalTransition {
    if (now >= this.state.holdExpiresAt) return this.illegal('reject');
    return this.apply('reject', { decision: 'REJECTED', rejectionReason: reason });
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

  /** The host's decision or the payment did not come in time; `now` is the database's. */
  expire(now: Date): Booking | IllegalTransition {
    if (now < this.state.holdExpiresAt) return this.illegal('expire');
    return this.apply('expire');
  }

  /** The use is registered. */
  confirm(): Booking | IllegalTransition {
    return this.apply('confirm');
  }

  /**
   * What a cancellation would refund, over time: all of the charge until the payment is confirmed or when
   * the host cancels, later by the tiers frozen at the request, and never more than what operators have
   * left of it. Once cancelled, what that cancellation refunds.
   */
  refundSchedule(role: Role): RefundStep[] {
    const { state } = this;
    const { price, goodwill } = state;
    // A change of the booking may have been applied while operators gave back a part of the price before it.
    const left = { ...price, amount: Math.max(0, price.amount - goodwill.amount) };
    switch (state.status) {
      case 'REQUESTED':
      case 'PAYMENT_DEFERRED':
        return [{ until: null, percent: 100, refund: left }];
      case 'PAID':
      case 'REGISTERED':
        if (role === 'host') return [{ until: null, percent: 100, refund: left }];
        return refundSchedule(price, state.refundTiers, state.slot.startAt, state.timeZone).map(
          (step) => (step.refund.amount > left.amount ? { ...step, refund: left } : step),
        );
      case 'CANCELLING':
      case 'CANCELLED': {
        const refund = state.refund ?? { ...price, amount: 0 };
        const percent = price.amount === 0 ? 0 : Math.round((100 * refund.amount) / price.amount);
        return [{ until: null, percent, refund }];
      }
      case 'AWAITING_APPROVAL':
      case 'REJECTED':
      case 'DECLINED':
      case 'EXPIRED':
        return [{ until: null, percent: 0, refund: { ...price, amount: 0 } }];
    }
  }

  /** What a cancellation now would refund: the present step of {@link refundSchedule}. */
  quoteRefund(role: Role, now: Date): Money {
    return refundAt(this.refundSchedule(role), now);
  }

  /**
   * Accepts the cancellation at the refund quoted now, and ends a change that is not applied. Payment and
   * space then cancel their parts.
   */
  cancel(role: Role, now: Date): Booking | IllegalTransition {
    if (now >= this.state.slot.endAt) return this.illegal('cancel');
    return this.apply('cancel', { refund: this.quoteRefund(role, now), openChange: null });
  }

  /** As {@link cancel}, at the refund that payment owes already: book has lost the cancellation. */
  cancelAt(refund: number): Booking | IllegalTransition {
    const { price } = this.state;
    return this.apply('cancel', { refund: { ...price, amount: refund }, openChange: null });
  }

  /** The use cannot be registered: the whole price is refunded, whatever the tiers say. */
  rejectRegistration(): Booking | IllegalTransition {
    const { price, goodwill } = this.state;
    return this.apply('rejectRegistration', {
      refund: { ...price, amount: price.amount - goodwill.amount },
    });
  }

  /** Operators have given back `amount` of the charge in all, in whatever status the booking is. */
  recordGoodwill(amount: number): Booking {
    const { state } = this;
    if (amount <= state.goodwill.amount) return this;
    const goodwill = { ...state.price, amount };
    return new Booking({ ...state, goodwill, version: state.version + 1 });
  }

  /**
   * Nothing more is charged or refunded. `refunded` is what the cancellation gave back, where operators
   * have given back a part as well: less than quoted, if they did so at the same time.
   */
  completePaymentCancellation(refunded?: number): Booking | IllegalTransition {
    const refund =
      refunded === undefined ? {} : { refund: { ...this.state.price, amount: refunded } };
    return this.apply(
      'completePaymentCancellation',
      { paymentCancelled: true, ...refund },
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
   * payment method is erased in the version that needs it no more.
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
    const erased = isExpiring(status) ? {} : { nextPaymentAttemptAt: null, paymentMethod: '' };
    return new Booking({ ...state, ...erased, ...changes, status, version: state.version + 1 });
  }

  private illegal(verb: Verb): IllegalTransition {
    return { type: 'IllegalTransition', from: this.state.status, verb };
  }
}

/** The hold of a booking whose payment is requested now: nobody pays for a use that has begun. */
function toFirstAttempt(now: Date, holdSeconds: number, startAt: Date) {
  const holdExpiresMs = Math.min(now.getTime() + holdSeconds * 1_000, startAt.getTime());
  return {
    holdExpiresAt: new Date(holdExpiresMs),
    paymentAttempts: 1,
    nextPaymentAttemptAt: new Date(Math.min(now.getTime() + FIRST_RETRY_MS, holdExpiresMs)),
  };
}
