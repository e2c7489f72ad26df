import { Booking } from '../domain/booking.ts';
import {
  type BookedTerms,
  beginChange,
  type ChangeRequest,
  isSameChange,
  toBookedTerms,
  toChangedTerms,
  toChangedUse,
} from '../domain/booking-change.ts';
import { findTokenProblem } from '../domain/booking-request.ts';
import type { CatalogueSpace } from '../domain/catalogue-space.ts';
import { isSameUse, type PricedUse, type PriceQuote } from '../domain/price-quote.ts';
import type {
  BookingNotFound,
  BookingNotReschedulable,
  IdempotencyKeyReused,
  InvalidBookingRequest,
  PriceChanged,
  SlotUnavailable,
} from '../domain/refusals.ts';
import type { ActingPrincipal, BookPorts } from '../ports.ts';
import { type ChangedBooking, findChanged, payAndApply } from './change-saga.ts';
import { findAlternatives } from './free-slots.ts';
import { quoteChangedUse, toPriceChanged } from './quote-price.ts';
import type { PaymentDeclined } from './request-booking.ts';

/** A bound for the list of a booking's changes, and for what one customer makes the others do. */
const MAX_CHANGES = 50;
/** How long a request waits for the registration that another context is about to make or move. */
const REGISTRATION_WAIT_MS = 2_000;
const REGISTRATION_POLL_MS = 100;

export type RescheduleBookingResult =
  | ChangedBooking
  | SlotUnavailable
  | PriceChanged
  | PaymentDeclined
  | InvalidBookingRequest
  | BookingNotFound
  | BookingNotReschedulable
  | IdempotencyKeyReused;

/**
 * Changes slot, headcount or add-ons of a registered booking: holds the new slot, charges what it costs
 * more, then replaces the old slot. Whatever fails leaves the booking as it was. The same key and request
 * always return the same change. The change is PENDING while the outcome of its payment is unknown.
 */
export async function rescheduleBooking(
  ports: BookPorts,
  request: ChangeRequest,
  by: ActingPrincipal,
): Promise<RescheduleBookingResult> {
  const problem = findTokenProblem('idempotencyKey', request.idempotencyKey);
  if (problem) return { type: 'InvalidBookingRequest', ...problem };
  for (;;) {
    const found = await ports.bookings.find(request.bookingId);
    if (found?.state.customerId !== by.userId) {
      return { type: 'BookingNotFound', message: 'You have made no such booking.' };
    }
    const repeated = await findRepeated(ports, request);
    if (repeated) return repeated;
    const booking = await whenRegistered(ports, found);
    // While it waited, the same request may have begun the change.
    const begunMeanwhile = booking === found ? null : await findRepeated(ports, request);
    if (begunMeanwhile) return begunMeanwhile;
    const prepared = await prepareChange(ports, booking, request);
    if ('type' in prepared) return prepared;

    const next = beginChange(booking, prepared.change);
    if (!(next instanceof Booking)) continue;
    const { change, space } = prepared;
    const { holdSeconds, maxUnpaidHolds } = ports;
    const begun = await ports.changes.begin(booking, next, change, {
      ...{ holdSeconds, maxUnpaidHolds, by },
    });
    // Stale: another change, a cancellation or a refund came first.
    if (begun === 'stale') continue;
    if (begun === 'too-many') {
      const message = `You hold ${maxUnpaidHolds} slots that are not paid yet, and may not hold more.`;
      return refuse(booking, message);
    }
    if (begun === 'overlap') {
      return {
        type: 'SlotUnavailable',
        message: `${space.name} is not free at that time: the booking is as it was.`,
        alternatives: await findAlternatives(ports, space, change.to.slot),
      };
    }
    ports.log('change requested', { bookingId: booking.state.id, changeId: begun.id });
    return toResult(await payAndApply(ports, begun));
  }
}

/** The result of an earlier request under the same key; null when there was none. */
async function findRepeated(
  ports: BookPorts,
  request: ChangeRequest,
): Promise<
  ChangedBooking | PaymentDeclined | BookingNotReschedulable | IdempotencyKeyReused | null
> {
  const change = await ports.changes.findByKey(request.bookingId, request.idempotencyKey);
  if (!change) return null;
  if (isSameChange(change, request)) return toResult(await findChanged(ports, change));
  return {
    type: 'IdempotencyKeyReused',
    message: 'This idempotency key was used for another change of the booking: choose a new one.',
  };
}

function toResult(
  changed: ChangedBooking,
): ChangedBooking | PaymentDeclined | BookingNotReschedulable {
  if (changed.change.state !== 'DECLINED') return changed;
  if (changed.change.difference < 0) {
    const message =
      'Refunds that are under way leave less of the price than this change would give back: the booking is as it was.';
    return refuse(changed.booking, message);
  }
  return {
    type: 'PaymentDeclined',
    message: 'The payment of the difference was declined: the booking is as it was.',
    booking: changed.booking,
  };
}

/** The booking once its registration is not awaited any more; as it is when that takes too long. */
async function whenRegistered(ports: BookPorts, booking: Booking): Promise<Booking> {
  let current = booking;
  const polls = REGISTRATION_WAIT_MS / REGISTRATION_POLL_MS;
  for (let poll = 0; poll < polls && awaitsRegistration(current); poll += 1) {
    await ports.wait(REGISTRATION_POLL_MS);
    current = (await ports.bookings.find(booking.state.id)) ?? current;
  }
  return current;
}

const awaitsRegistration = ({ state: { status, openChange } }: Booking): boolean =>
  status === 'PAID' || (openChange !== null && openChange.appliedIn !== null);

/** A change that may be begun, and the space that it is made in. */
interface PreparedChange {
  change: Parameters<BookPorts['changes']['begin']>[2];
  space: CatalogueSpace;
}

async function prepareChange(
  ports: BookPorts,
  booking: Booking,
  request: ChangeRequest,
): Promise<PreparedChange | InvalidBookingRequest | BookingNotReschedulable | PriceChanged> {
  const { id: bookingId, status, openChange } = booking.state;
  if (status === 'PAID') {
    return refuse(booking, 'The booking is not registered yet: try again in a moment.');
  }
  if (openChange) {
    const message = 'Another change of this booking is not finished yet: try again in a moment.';
    return refuse(booking, message);
  }
  if ((await ports.changes.list(bookingId)).length >= MAX_CHANGES) {
    return refuse(booking, `A booking can be changed ${MAX_CHANGES} times at most.`);
  }
  const quoted = await quoteChange(ports, booking, request);
  if ('type' in quoted) return quoted;
  const { difference, quote, terms, space } = quoted;
  if (difference !== request.expectedDifference) {
    const amounts = { actual: difference, expected: request.expectedDifference };
    const { timeZone } = space;
    return toPriceChanged('difference', amounts, quote, { ...terms, timeZone });
  }
  const now = ports.clock();
  const change = {
    ...{ id: ports.newId(), bookingId, idempotencyKey: request.idempotencyKey },
    ...{ from: toBookedTerms(booking), to: terms, difference },
    ...{ state: 'PENDING' as const, requestedAt: now, endedAt: null, expiresAt: now },
  };
  return { change, space };
}

/** What a change would cost, and the terms that it would bring. */
export interface ChangeQuote {
  quote: PriceQuote;
  /** What the customer would pay more, in minor units; negative: get back. */
  difference: number;
  terms: BookedTerms;
  space: CatalogueSpace;
}

/**
 * What the booking would cost after the change, or why it cannot be changed so. Whether the new slot is
 * free is not checked. The rules of the space apply to a new slot only: the old one is booked already.
 */
export async function quoteChange(
  ports: BookPorts,
  booking: Booking,
  request: Pick<ChangeRequest, 'slot' | 'headcount' | 'addOns'>,
): Promise<ChangeQuote | InvalidBookingRequest | BookingNotReschedulable> {
  const { state } = booking;
  if (state.status !== 'PAID' && state.status !== 'REGISTERED') {
    return refuse(booking, `The booking is ${state.status}: only a registered one can be changed.`);
  }
  // The database's clock, by which the change expires.
  const now = await ports.bookings.now();
  if (now >= state.slot.startAt) return refuse(booking, 'The booked time has begun.');
  const space = await ports.catalogue.find(state.spaceId);
  if (!space || space.state === 'ARCHIVED') {
    return refuse(booking, `${state.spaceName} takes no bookings any more.`);
  }
  const use: PricedUse = toChangedUse(booking, request);
  if (isSameUse(use, state)) {
    const message = 'This is what is booked: choose another slot, headcount or set of add-ons.';
    return { type: 'InvalidBookingRequest', field: 'slot', message };
  }
  const quote = await quoteChangedUse(ports, space, use, state.slot, now);
  if ('type' in quote) return quote;
  const { goodwill, price } = state;
  if (quote.total.amount < goodwill.amount) {
    return refuse(
      booking,
      `${goodwill.amount} ${goodwill.currency} of the price were given back: the new price must not be less.`,
    );
  }
  const difference = quote.total.amount - price.amount;
  return { quote, difference, terms: toChangedTerms(booking, use, quote, space), space };
}

const refuse = ({ state: { status } }: Booking, message: string): BookingNotReschedulable => ({
  type: 'BookingNotReschedulable',
  message,
  status,
});
