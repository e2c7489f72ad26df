import { Booking } from '../domain/booking.ts';
import type {
  BookingNotDecidable,
  BookingNotFound,
  IllegalTransition,
} from '../domain/refusals.ts';
import type { BookPorts } from '../ports.ts';
import { requestPayment } from './booking-saga.ts';
import { asHost, type BookingPrincipal } from './find-role.ts';

export type DecideBookingResult =
  | { booking: Booking; role: 'host' | 'operator' }
  | BookingNotFound
  | BookingNotDecidable;

/**
 * The host of the space, or an operator, approves a booking: the payment is requested now. Returns the
 * booking as it then is. A repeated approval returns the booking as it has become.
 */
export async function approveBooking(
  ports: BookPorts,
  principal: BookingPrincipal,
  bookingId: string,
): Promise<DecideBookingResult> {
  const decided = await decide(ports, principal, bookingId, 'approveBooking', (booking, now) =>
    booking.approve(now, ports.holdSeconds),
  );
  if ('type' in decided || decided.isRepeated) return decided;
  return { ...decided, booking: await requestPayment(ports, decided.booking) };
}

/** The host of the space, or an operator, rejects a booking: its slot is free, nothing was charged. */
export function rejectBooking(
  ports: BookPorts,
  principal: BookingPrincipal,
  bookingId: string,
  reason: string,
): Promise<DecideBookingResult> {
  return decide(ports, principal, bookingId, 'rejectBooking', (booking, now) =>
    booking.reject(now, reason),
  );
}

interface Decided {
  booking: Booking;
  role: 'host' | 'operator';
  isRepeated: boolean;
}

const DECISIONS = { approveBooking: 'APPROVED', rejectBooking: 'REJECTED' } as const;

async function decide(
  ports: BookPorts,
  principal: BookingPrincipal,
  bookingId: string,
  action: keyof typeof DECISIONS,
  verb: (booking: Booking, now: Date) => Booking | IllegalTransition,
): Promise<Decided | BookingNotFound | BookingNotDecidable> {
  for (;;) {
    const booking = await ports.bookings.find(bookingId);
    const by = booking && asHost(principal, booking.state.hostId);
    if (!booking || !by) return { type: 'BookingNotFound', message: 'There is no such booking.' };
    const { role } = by;
    if (booking.state.decision === DECISIONS[action]) return { booking, role, isRepeated: true };
    // The database's clock, by which the hold expires.
    const next = verb(booking, await ports.bookings.now());
    if (!(next instanceof Booking)) return toRefusal(booking);
    // Stale: another decision, a cancellation or the deadline came first.
    if ((await ports.bookings.saveAction(booking, next, by, action)) === 'stale') continue;
    ports.log('booking decided', { bookingId, by: role, status: next.state.status });
    return { booking: next, role, isRepeated: false };
  }
}

function toRefusal(booking: Booking): BookingNotDecidable {
  const { status } = booking.state;
  const message = booking.awaitsApproval
    ? 'The time for a decision is over: the booking expires.'
    : `The booking is ${status}: there is nothing to decide.`;
  return { type: 'BookingNotDecidable', message, status };
}
