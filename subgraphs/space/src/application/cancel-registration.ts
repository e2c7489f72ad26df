import type { PublishedBooking } from '../domain/published-booking.ts';
import { Registration } from '../domain/registration.ts';
import type { SpacePorts } from '../ports.ts';

/**
 * Cancels the registration of a booking that is cancelled or has expired, and stores that its slot is
 * free. Without a registration it stores a tombstone, so that a late approval registers nothing.
 */
export async function cancelRegistration(
  ports: SpacePorts,
  booking: PublishedBooking,
  eventId: string,
): Promise<void> {
  const { registrations } = ports;
  const { bookingId } = booking;
  for (;;) {
    const registration = await registrations.findByBooking(bookingId);
    if (!registration) {
      const creation = { id: ports.newId(), now: ports.clock() };
      const tombstone = Registration.tombstone(booking, creation);
      const recorded = await registrations.record(
        tombstone,
        'RegistrationCancelled',
        booking,
        eventId,
      );
      if (recorded === 'exists') continue;
      ports.log('registration cancelled before it existed', { bookingId });
      return;
    }
    const cancelled = registration.cancel(ports.clock());
    if (!(cancelled instanceof Registration)) return ports.spaces.storeOccupancy(booking, eventId);
    const saved = await registrations.save(
      registration,
      cancelled,
      'RegistrationCancelled',
      booking,
      eventId,
    );
    if (saved === 'stale') continue;
    ports.log('registration cancelled', { bookingId });
    return;
  }
}
