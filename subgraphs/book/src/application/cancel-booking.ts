import { Booking } from '../domain/booking.ts';
import type { BookingNotCancellable, BookingNotFound } from '../domain/refusals.ts';
import type { Role } from '../domain/role.ts';
import type { BookPorts } from '../ports.ts';
import { type BookingPrincipal, findRole } from './find-role.ts';

/**
 * Accepts a cancellation by the booking's customer, its space's host or an operator, at the refund
 * quoted now. A repeated cancellation returns the same booking. Refund and registration follow.
 */
export async function cancelBooking(
  ports: BookPorts,
  principal: BookingPrincipal,
  bookingId: string,
): Promise<{ booking: Booking; role: Role } | BookingNotFound | BookingNotCancellable> {
  for (;;) {
    const booking = await ports.bookings.find(bookingId);
    const role = booking && findRole(booking, principal);
    if (!booking || !role) return { type: 'BookingNotFound', message: 'There is no such booking.' };

    const { status } = booking.state;
    if (status === 'CANCELLING' || status === 'CANCELLED') return { booking, role };

    const cancelling = booking.cancel(role, ports.clock());
    if (!(cancelling instanceof Booking)) return toRefusal(booking);
    const by = { userId: principal.userId, role };
    const saved = await ports.bookings.saveAction(booking, cancelling, by, 'cancelBooking');
    // Stale: the booking changed meanwhile, and the quote may have changed with it.
    if (saved === 'stale') continue;
    ports.log('booking cancelled', { bookingId, by: role });
    return { booking: cancelling, role };
  }
}

function toRefusal({ state: { status } }: Booking): BookingNotCancellable {
  const message =
    status === 'DECLINED' || status === 'EXPIRED' || status === 'REJECTED'
      ? `The booking is ${status.toLowerCase()} already: there is nothing to cancel.`
      : 'The booked time is over.';
  return { type: 'BookingNotCancellable', message, status };
}
