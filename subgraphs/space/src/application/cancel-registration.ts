import type { PublishedBooking } from '../domain/published-booking.ts';
import { Registration } from '../domain/registration.ts';
import type { SpacePorts } from '../ports.ts';

/**
 * Cancels the registration of a booking that is cancelled or has expired, and stores that its slot
 * is free. When nothing is registered yet, it leaves a tombstone, so that a late approval cannot
 * register.
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
      const made = { id: ports.newId(), now: ports.clock() };
      const tombstone = Registration.tombstone(booking, made);
      const recorded = await registrations.record(
        tombstone,
        'RegistrationCancelled',
        booking,
        eventId,
      );
      if (recorded === 'known') continue;
      ports.log('registration cancelled before it was made', { bookingId });
      return;
    }
    const cancelled = registration.cancel(ports.clock());
    if (!(cancelled instanceof Registration)) return ports.spaces.occupy(booking, eventId);
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
