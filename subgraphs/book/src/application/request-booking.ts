import { Booking } from '../domain/booking.ts';
import type { BookingRequest } from '../domain/booking-request.ts';
import type { CatalogueSpace } from '../domain/catalogue-space.ts';
import type {
  IdempotencyKeyReused,
  InvalidBookingRequest,
  PriceChanged,
  SlotUnavailable,
  SpaceNotFound,
  TooManyPendingBookings,
} from '../domain/refusals.ts';
import type { Role } from '../domain/role.ts';
import type { BookPorts } from '../ports.ts';
import { requestPayment } from './booking-saga.ts';
import { findListedSpace } from './find-listed-space.ts';
import { findAlternatives } from './free-slots.ts';
import { findHolidays, toPriceChanged } from './quote-price.ts';

/** The payment was declined: the booking is `DECLINED`, and its slot is free. */
export interface PaymentDeclined {
  type: 'PaymentDeclined';
  message: string;
  booking: Booking;
}

/** A request, and the total that the customer was shown; null: whatever it costs. */
export type PricedRequest = BookingRequest & { expectedTotal?: number | null };

export type RequestBookingResult =
  | Booking
  | SlotUnavailable
  | InvalidBookingRequest
  | SpaceNotFound
  | PaymentDeclined
  | IdempotencyKeyReused
  | PriceChanged
  | TooManyPendingBookings;

/**
 * Holds the slot, requests the payment, and returns the booking as it then is. The same key and
 * request always return the same booking, whatever has changed since. `role` is what the principal
 * acts as, for the audit log.
 */
export async function requestBooking(
  ports: BookPorts,
  { expectedTotal = null, ...request }: PricedRequest,
  role: Role,
): Promise<RequestBookingResult> {
  const space = await findListedSpace(ports, request.spaceId);
  const booking = await toBooking(ports, request, space, expectedTotal);
  if (!space || !(booking instanceof Booking)) {
    return (
      (await findRepeated(ports, request, expectedTotal)) ??
      (booking as Exclude<typeof booking, Booking>)
    );
  }

  const { maxUnpaidHolds } = ports;
  const by = { userId: request.customerId, role };
  const inserted = await ports.bookings.insert(booking, maxUnpaidHolds, by);
  if (inserted instanceof Booking) {
    ports.log('booking requested', { bookingId: inserted.state.id, spaceId: space.id });
    return inserted.awaitsApproval ? inserted : toResult(await requestPayment(ports, inserted));
  }
  const earlier = await findRepeated(ports, request, expectedTotal);
  if (earlier) return earlier;
  if (inserted === 'too-many') {
    return {
      type: 'TooManyPendingBookings',
      message: `You hold ${maxUnpaidHolds} slots that are not paid yet, and may not hold more.`,
      limit: maxUnpaidHolds,
    };
  }
  return {
    type: 'SlotUnavailable',
    message: `${space.name} is not free at that time.`,
    alternatives: await findAlternatives(ports, space, request.slot),
  };
}

/** The booking to insert, or why there is none. */
async function toBooking(
  ports: BookPorts,
  request: BookingRequest,
  space: CatalogueSpace | null,
  expectedTotal: number | null,
): Promise<Booking | SpaceNotFound | InvalidBookingRequest | PriceChanged> {
  if (!space || space.state === 'ARCHIVED') {
    return { type: 'SpaceNotFound', message: 'There is no such space.' };
  }
  const booking = Booking.request(request, space, {
    id: ports.newId(),
    now: ports.clock(),
    holdSeconds: ports.holdSeconds,
    holidays: await findHolidays(ports, space, request.slot),
    correlationId: ports.correlationId(),
  });
  if (!(booking instanceof Booking)) return booking;
  const { price, priceLines, vat } = booking.state;
  const expected = expectedTotal ?? price.amount;
  if (expected === price.amount) return booking;
  const amounts = { actual: price.amount, expected };
  return toPriceChanged('price', amounts, { total: price, lines: priceLines, vat }, booking.state);
}

/** The result of an earlier request under the same key; null when there was none. */
async function findRepeated(
  ports: BookPorts,
  request: BookingRequest,
  expectedTotal: number | null,
): Promise<Booking | PaymentDeclined | IdempotencyKeyReused | null> {
  const { customerId, idempotencyKey, paymentMethod } = request;
  const earlier = await ports.bookings.findByKey(customerId, idempotencyKey, paymentMethod);
  if (!earlier) return null;
  const { booking, requested, hasPaymentMethod } = earlier;
  // A booking that was made cost what its customer expected.
  const { amount } = requested.state.price;
  const isExpected = (expectedTotal ?? amount) === amount;
  if (isExpected && requested.isSameRequest(request, hasPaymentMethod)) return toResult(booking);
  return {
    type: 'IdempotencyKeyReused',
    message: 'This idempotency key was used for another request: choose a new one.',
  };
}

function toResult(booking: Booking): Booking | PaymentDeclined {
  return booking.state.status === 'DECLINED'
    ? { type: 'PaymentDeclined', message: 'The payment was declined.', booking }
    : booking;
}
