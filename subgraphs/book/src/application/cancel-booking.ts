import { Booking } from '../domain/booking.ts';
import type { Party } from '../domain/booking-status.ts';
import type { BookingNotCancellable, BookingNotFound } from '../domain/refusals.ts';
import type { BookPorts } from '../ports.ts';
import { type Person, partyTo } from './party.ts';

/**
 * Accepts a cancellation by the booking's customer, its space's host or an operator, at the refund
 * quoted now. Cancelling again answers with the same booking. Refund and registration follow.
 */
export async function cancelBooking(
  ports: BookPorts,
  person: Person,
  bookingId: string,
): Promise<{ booking: Booking; party: Party } | BookingNotFound | BookingNotCancellable> {
  for (;;) {
    const booking = await ports.bookings.find(bookingId);
    const party = booking && partyTo(booking, person);
    if (!booking || !party)
      return { type: 'BookingNotFound', message: 'There is no such booking.' };

    const { status } = booking.state;
    if (status === 'CANCELLING' || status === 'CANCELLED') return { booking, party };

    const cancelling = booking.cancel(party, ports.clock());
    if (!(cancelling instanceof Booking)) {
      const message =
        status === 'DECLINED' || status === 'EXPIRED'
          ? `The booking is ${status.toLowerCase()} already: there is nothing to cancel.`
          : 'The booked time is over.';
      return { type: 'BookingNotCancellable', message, status };
    }
    // Stale: something else happened to the booking meanwhile, and the quote may have changed.
    const by = { userId: person.userId, as: party };
    if ((await ports.bookings.saveCancellation(booking, cancelling, by)) === 'saved') {
      ports.log('booking cancelled', { bookingId, by: party });
      return { booking: cancelling, party };
    }
  }
}
