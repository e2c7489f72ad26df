import type { BookingStatus, Party } from './booking-status.ts';
import { type RefundTier, refundByTier } from './cancellation-policy.ts';
import type { CatalogueSpace } from './catalogue-space.ts';
import { MAX_AMOUNT, type Money, priceOf } from './money.ts';
import { isOpenDuring } from './opening-hours.ts';
import type { IllegalTransition, InvalidBookingRequest } from './refusals.ts';
import { lengthOf, type TimeSlot } from './time-slot.ts';

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
  /** Empty once the booking does not await its payment any more. */
  paymentMethod: string;
  status: BookingStatus;
  /** Rises with every change; a store refuses to save over a newer one. */
  version: number;
  requestedAt: Date;
  holdExpiresAt: Date;
  paymentAttempts: number;
  /** When payment is asked again; null unless its outcome is unknown. */
  nextPaymentAttemptAt: Date | null;
  /** What the cancellation refunds, frozen when it was accepted. */
  refund: Money | null;
  paymentCancelled: boolean;
  registrationCancelled: boolean;
  correlationId: string;
}

/** What a customer asks for. */
export interface BookingRequest {
  customerId: string;
  idempotencyKey: string;
  spaceId: string;
  slot: TimeSlot;
  headcount: number;
  paymentMethod: string;
}

const HOLDS_SLOT: Record<BookingStatus, boolean> = {
  REQUESTED: true,
  PAYMENT_DEFERRED: true,
  PAID: true,
  REGISTERED: true,
  CANCELLING: true,
  CANCELLED: false,
  DECLINED: false,
  EXPIRED: false,
};

const MAX_SLOT_MS = 31 * 24 * 3_600_000;
/** A process that dies between the commit and the payment call is taken over after this. */
const TAKEOVER_MS = 5_000;
const MAX_RETRY_MS = 60_000;

/** A booking: immutable, every transition returns the next version or says that it is illegal. */
export class Booking {
  readonly state: Readonly<BookingState>;

  constructor(state: BookingState) {
    this.state = state;
  }

  /** Holds the slot at today's price and refund tiers, or says what is wrong with the request. */
  static request(
    request: BookingRequest,
    space: CatalogueSpace,
    made: { id: string; now: Date; holdSeconds: number; correlationId: string },
  ): Booking | InvalidBookingRequest {
    const problem = problemOf(request, space, made.now);
    if (problem) return { type: 'InvalidBookingRequest', ...problem };
    const amount = priceOf(space.hourlyRate, lengthOf(request.slot));
    if (amount === undefined) {
      return {
        type: 'InvalidBookingRequest',
        field: 'slot',
        message: `The price of this slot exceeds ${MAX_AMOUNT}: choose a shorter one.`,
      };
    }
    const holdExpiresAt = made.now.getTime() + made.holdSeconds * 1_000;
    return new Booking({
      ...request,
      id: made.id,
      hostId: space.hostId,
      spaceName: space.name,
      timeZone: space.timeZone,
      price: { amount, currency: space.currency },
      refundTiers: space.refundTiers,
      status: 'REQUESTED',
      version: 1,
      requestedAt: made.now,
      holdExpiresAt: new Date(holdExpiresAt),
      paymentAttempts: 1,
      nextPaymentAttemptAt: new Date(Math.min(made.now.getTime() + TAKEOVER_MS, holdExpiresAt)),
      refund: null,
      paymentCancelled: false,
      registrationCancelled: false,
      correlationId: made.correlationId,
    });
  }

  /**
   * Does it hold its slot against all others? One that is being cancelled does until nothing is
   * registered any more: the refund may take its time.
   */
  get live(): boolean {
    const { status, registrationCancelled } = this.state;
    if (status === 'CANCELLING') return !registrationCancelled;
    return HOLDS_SLOT[status];
  }

  get awaitsPayment(): boolean {
    return this.state.status === 'REQUESTED' || this.state.status === 'PAYMENT_DEFERRED';
  }

  /**
   * Is this the same request that made the booking? `hasPaymentMethod` says whether its payment
   * method is the booking's, which may be erased here.
   */
  wasMadeBy(request: BookingRequest, hasPaymentMethod: boolean): boolean {
    const { state } = this;
    return (
      state.spaceId === request.spaceId &&
      state.slot.startAt.getTime() === request.slot.startAt.getTime() &&
      state.slot.endAt.getTime() === request.slot.endAt.getTime() &&
      state.headcount === request.headcount &&
      hasPaymentMethod
    );
  }

  /** The payment's outcome is unknown: the hold stands, payment is asked again with backoff. `now` is the database's. */
  deferPayment(now: Date): Booking | IllegalTransition {
    if (!this.awaitsPayment) return this.illegal('deferPayment');
    const wait = Math.min(1_000 * 2 ** (this.state.paymentAttempts - 1), MAX_RETRY_MS);
    const expiry = this.state.holdExpiresAt.getTime();
    return this.next({
      status: 'PAYMENT_DEFERRED',
      nextPaymentAttemptAt: new Date(Math.min(now.getTime() + wait, expiry)),
    });
  }

  approvePayment(): Booking | IllegalTransition {
    if (!this.awaitsPayment) return this.illegal('approvePayment');
    return this.stopAwaitingPayment('PAID');
  }

  declinePayment(): Booking | IllegalTransition {
    if (!this.awaitsPayment) return this.illegal('declinePayment');
    return this.stopAwaitingPayment('DECLINED');
  }

  /** The payment did not come in time; `now` is the database's. */
  expire(now: Date): Booking | IllegalTransition {
    if (!this.awaitsPayment || now < this.state.holdExpiresAt) return this.illegal('expire');
    return this.stopAwaitingPayment('EXPIRED');
  }

  /** The use is registered. */
  confirm(): Booking | IllegalTransition {
    if (this.state.status !== 'PAID') return this.illegal('confirm');
    return this.next({ status: 'REGISTERED' });
  }

  /**
   * What cancelling now would refund. Until the payment is confirmed, and when the host cancels,
   * all of it; afterwards by the tiers that were frozen at the request. Once cancelled, what that
   * cancellation refunds.
   */
  quoteRefund(party: Party, now: Date): Money {
    const { state } = this;
    const all = state.price;
    switch (state.status) {
      case 'REQUESTED':
      case 'PAYMENT_DEFERRED':
        return all;
      case 'PAID':
      case 'REGISTERED':
        return party === 'host'
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

  /** Accepts the cancellation at the refund quoted now. Payment and space then take back theirs. */
  cancel(party: Party, now: Date): Booking | IllegalTransition {
    const cancellable =
      this.awaitsPayment || this.state.status === 'PAID' || this.state.status === 'REGISTERED';
    if (!cancellable || now >= this.state.slot.endAt) return this.illegal('cancel');
    return this.startCancelling(this.quoteRefund(party, now));
  }

  /** The use cannot be registered: everything is given back, whatever the tiers say. */
  rejectRegistration(): Booking | IllegalTransition {
    if (!this.awaitsPayment && this.state.status !== 'PAID') {
      return this.illegal('rejectRegistration');
    }
    return this.startCancelling(this.state.price);
  }

  /** Nothing more is owed either way. */
  settlePayment(): Booking | IllegalTransition {
    if (this.state.status !== 'CANCELLING') return this.illegal('settlePayment');
    return this.next({ paymentCancelled: true }).finishCancelling();
  }

  /** Nothing is registered any more. */
  settleRegistration(): Booking | IllegalTransition {
    if (this.state.status !== 'CANCELLING') return this.illegal('settleRegistration');
    return this.next({ registrationCancelled: true }).finishCancelling();
  }

  /** The payment method has served its purpose, and is erased with the same version. */
  private stopAwaitingPayment(status: BookingStatus, changes: Partial<BookingState> = {}): Booking {
    return this.next({ ...changes, status, nextPaymentAttemptAt: null, paymentMethod: '' });
  }

  private startCancelling(refund: Money): Booking {
    return this.stopAwaitingPayment('CANCELLING', { refund });
  }

  private finishCancelling(): Booking {
    const { paymentCancelled, registrationCancelled } = this.state;
    if (!paymentCancelled || !registrationCancelled) return this;
    return new Booking({ ...this.state, status: 'CANCELLED' });
  }

  private next(changes: Partial<BookingState>): Booking {
    return new Booking({ ...this.state, ...changes, version: this.state.version + 1 });
  }

  private illegal(verb: string): IllegalTransition {
    return { type: 'IllegalTransition', from: this.state.status, verb };
  }
}

function problemOf(
  request: BookingRequest,
  space: CatalogueSpace,
  now: Date,
): { field: string; message: string } | undefined {
  const { slot, headcount } = request;
  if (slot.endAt <= slot.startAt) {
    return { field: 'slot.endAt', message: 'The slot must end after it starts.' };
  }
  if (slot.startAt <= now) {
    return { field: 'slot.startAt', message: 'The slot must start in the future.' };
  }
  if (lengthOf(slot) > MAX_SLOT_MS) {
    return { field: 'slot', message: 'The slot must be no longer than 31 days.' };
  }
  if (!isOpenDuring(slot, space.openingHours, space.timeZone)) {
    return {
      field: 'slot',
      message: `The slot must lie within the opening hours of ${space.name} (${space.timeZone}).`,
    };
  }
  if (headcount < 1) return { field: 'headcount', message: 'At least one person must come.' };
  if (headcount > space.capacity) {
    return {
      field: 'headcount',
      message: `${space.name} takes at most ${space.capacity} people, not ${headcount}.`,
    };
  }
  return (
    tokenProblem('paymentMethod', request.paymentMethod) ??
    tokenProblem('idempotencyKey', request.idempotencyKey)
  );
}

function tokenProblem(field: string, text: string) {
  if (text.trim() !== '' && text.length <= 200 && !/\p{Cc}/u.test(text)) return undefined;
  return {
    field,
    message: `The ${field} must have 1 to 200 characters, none a control character.`,
  };
}
