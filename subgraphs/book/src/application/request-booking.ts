import { Booking } from '../domain/booking.ts';
import type { BookingRequest } from '../domain/booking-request.ts';
import type {
  IdempotencyKeyReused,
  InvalidBookingRequest,
  SlotUnavailable,
  SpaceNotFound,
  TooManyPendingBookings,
} from '../domain/refusals.ts';
import type { Role } from '../domain/role.ts';
import type { BookPorts } from '../ports.ts';
import { requestPayment } from './booking-saga.ts';
import { findListedSpace } from './find-listed-space.ts';
import { findAlternatives } from './free-slots.ts';

/** The payment was declined: the booking is `DECLINED`, and its slot is free. */
export interface PaymentDeclined {
  type: 'PaymentDeclined';
  message: string;
  booking: Booking;
}

export type RequestBookingResult =
  | Booking
  | SlotUnavailable
  | InvalidBookingRequest
  | SpaceNotFound
  | PaymentDeclined
  | IdempotencyKeyReused
  | TooManyPendingBookings;

/**
 * Holds the slot, requests the payment, and returns the booking as it then is. The same key and
 * request always return the same booking, whatever has changed since. `role` is what the principal
 * acts as, for the audit log.
 */
export async function requestBooking(
  ports: BookPorts,
  request: BookingRequest,
  role: Role,
): Promise<RequestBookingResult> {
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
    return (await findRepeated(ports, request)) ?? (booking as Exclude<typeof booking, Booking>);
  }

  const { maxUnpaidHolds } = ports;
  const by = { userId: request.customerId, role };
  const inserted = await ports.bookings.insert(booking, maxUnpaidHolds, by);
  if (inserted instanceof Booking) {
    ports.log('booking requested', { bookingId: inserted.state.id, spaceId: space.id });
    return toResult(await requestPayment(ports, inserted));
  }
  const earlier = await findRepeated(ports, request);
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

/** The result of an earlier request under the same key; null when there was none. */
async function findRepeated(
  ports: BookPorts,
  request: BookingRequest,
): Promise<Booking | PaymentDeclined | IdempotencyKeyReused | null> {
  const { customerId, idempotencyKey, paymentMethod } = request;
  const earlier = await ports.bookings.findByKey(customerId, idempotencyKey, paymentMethod);
  if (!earlier) return null;
  const { booking, hasPaymentMethod } = earlier;
  if (booking.isSameRequest(request, hasPaymentMethod)) return toResult(booking);
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
