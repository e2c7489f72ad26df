import type { ApprovedPayment, PublishedBooking } from '../domain/published-booking.ts';
import { Registration } from '../domain/registration.ts';
import type { SpacePorts } from '../ports.ts';

const REASONS = {
  overlap: 'Another use is registered at that time.',
  'no-space': 'The space is not in the catalogue.',
} as const;

/**
 * Registers the use of a space once payment has approved the payment and book has published that the
 * booking holds its slot and is paid, in either order: an approval alone may be of an expired booking.
 * `contested`: another registration has the slot, and nothing proves that its booking still holds it;
 * process the event again later.
 */
export async function registerUse(
  ports: SpacePorts,
  cause: PublishedBooking | ApprovedPayment,
  eventId: string,
): Promise<'done' | 'contested'> {
  const { registrations } = ports;
  const { bookingId } = cause;
  const creation = { id: ports.newId(), now: ports.clock() };
  const outcome = await registrations.register(cause, creation, eventId);
  switch (outcome.type) {
    case 'incomplete':
      return 'done';
    case 'registered':
      ports.log('use registered', { bookingId });
      return 'done';
    case 'exists':
      // Registered before, or a tombstone.
      await registrations.markProcessed(eventId);
      return 'done';
    case 'contested':
      return 'contested';
    case 'overlap':
    case 'no-space': {
      const reason = REASONS[outcome.type];
      const rejected = Registration.reject(outcome.use, reason, creation);
      const recorded = await registrations.record(rejected, 'RegistrationRejected', cause, eventId);
      if (recorded === 'exists') await registrations.markProcessed(eventId);
      ports.log('registration rejected', { bookingId, reason });
      return 'done';
    }
  }
}
