import type { PublishedBooking } from '../domain/published-booking.ts';
import { Registration } from '../domain/registration.ts';
import type { SpacePorts } from '../ports.ts';

/**
 * Moves the registration of a rescheduled booking to the slot that it has now. Book holds the slot before
 * until this is published, so nobody is registered there meanwhile. `contested`: another registration has
 * the new slot, or there is none to move; process the event again later.
 */
export async function moveRegistration(
  ports: SpacePorts,
  booking: PublishedBooking,
  eventId: string,
): Promise<'done' | 'contested'> {
  const { registrations } = ports;
  const { bookingId } = booking;
  for (;;) {
    const registration = await registrations.findByBooking(bookingId);
    if (!registration) return 'contested';
    const moved = registration.move(booking.slot);
    if (!(moved instanceof Registration)) {
      // The cancellation that follows the change came first.
      await ports.spaces.storeOccupancy(booking, eventId);
      return 'done';
    }
    const outcome = await registrations.move(registration, moved, booking, eventId);
    if (outcome === 'stale') continue;
    if (outcome === 'contested') return 'contested';
    if (outcome === 'saved') ports.log('registration moved', { bookingId });
    return 'done';
  }
}
