import { Booking, type BookingRequest } from '../domain/booking.ts';
import type { Party } from '../domain/booking-status.ts';
import type {
  IdempotencyKeyReused,
  InvalidBookingRequest,
  SlotUnavailable,
  SpaceNotFound,
  TooManyPendingBookings,
} from '../domain/refusals.ts';
import type { BookPorts } from '../ports.ts';
import { askPayment } from './booking-saga.ts';
import { findListedSpace } from './find-listed-space.ts';
import { alternativesTo } from './free-slots.ts';

/** The payment said no; the booking tells of it, its slot is free. */
export interface PaymentDeclined {
  type: 'PaymentDeclined';
  message: string;
  booking: Booking;
}

export type RequestBookingAnswer =
  | Booking
  | SlotUnavailable
  | InvalidBookingRequest
  | SpaceNotFound
  | PaymentDeclined
  | IdempotencyKeyReused
  | TooManyPendingBookings;

/**
 * Holds the slot, asks for payment, and answers with the booking as it then stands. The same key
 * and request always answer with the same booking, whatever has changed since. `as` tells by which
 * right the customer asks.
 */
export async function requestBooking(
  ports: BookPorts,
  request: BookingRequest,
  as: Party,
): Promise<RequestBookingAnswer> {
  const now = ports.clock();
  const space = await findListedSpace(ports, request.spaceId);
  const booking = space
    ? Booking.request(request, space, {
        id: ports.newId(),
        now,
        holdSeconds: ports.holdSeconds,
        correlationId: ports.correlationId(),
      })
    : ({ type: 'SpaceNotFound', message: 'There is no such space.' } as const);
  if (!space || !(booking instanceof Booking)) {
    return (await repeated(ports, request)) ?? (booking as Exclude<typeof booking, Booking>);
  }

  const { maxUnpaidHolds } = ports;
  const by = { userId: request.customerId, as };
  const held = await ports.bookings.request(booking, maxUnpaidHolds, by);
  if (held instanceof Booking) {
    ports.log('booking requested', { bookingId: held.state.id, spaceId: space.id });
    return answerFor(await askPayment(ports, held));
  }
  const earlier = await repeated(ports, request);
  if (earlier) return earlier;
  if (held === 'too-many') {
    return {
      type: 'TooManyPendingBookings',
      message: `You hold ${maxUnpaidHolds} slots that are not paid yet, and may not hold more.`,
      limit: maxUnpaidHolds,
    };
  }
  return {
    type: 'SlotUnavailable',
    message: `${space.name} is taken at that time.`,
    alternatives: await alternativesTo(ports, space, request.slot),
  };
}

/** The answer to a request that was made before under the same key; null when it was not. */
async function repeated(
  ports: BookPorts,
  request: BookingRequest,
): Promise<Booking | PaymentDeclined | IdempotencyKeyReused | null> {
  const { customerId, idempotencyKey, paymentMethod } = request;
  const earlier = await ports.bookings.findByKey(customerId, idempotencyKey, paymentMethod);
  if (!earlier) return null;
  const { booking, hasPaymentMethod } = earlier;
  if (booking.wasMadeBy(request, hasPaymentMethod)) return answerFor(booking);
  return {
    type: 'IdempotencyKeyReused',
    message: 'This idempotency key was used for another request: choose a new one.',
  };
}

function answerFor(booking: Booking): Booking | PaymentDeclined {
  return booking.state.status === 'DECLINED'
    ? { type: 'PaymentDeclined', message: 'The payment was declined.', booking }
    : booking;
}
