import type { ApprovedPayment, PublishedBooking } from '../domain/published-booking.ts';
import { Registration } from '../domain/registration.ts';
import type { SpacePorts } from '../ports.ts';

const REASONS = {
  overlap: 'Another use is registered at that time.',
  'no-space': 'The space is not in the catalogue.',
} as const;

/**
 * Registers the use of a space once payment has approved the payment and book has said that the
 * booking holds its slot and is paid, whichever comes last: an approval alone may be of a booking
 * that has expired. `contested`: another registration is in the way, and nothing proves that its
 * booking still holds the slot; process the event again later.
 */
export async function registerUse(
  ports: SpacePorts,
  cause: PublishedBooking | ApprovedPayment,
  eventId: string,
): Promise<'done' | 'contested'> {
  const { registrations } = ports;
  const { bookingId } = cause;
  const made = { id: ports.newId(), now: ports.clock() };
  const outcome = await registrations.register(cause, made, eventId);
  switch (outcome.type) {
    case 'incomplete':
      return 'done';
    case 'registered':
      ports.log('use registered', { bookingId });
      return 'done';
    case 'known':
      // Registered before, or cancelled before it came to that.
      await registrations.take(eventId);
      return 'done';
    case 'contested':
      return 'contested';
    case 'overlap':
    case 'no-space': {
      const reason = REASONS[outcome.type];
      const rejected = Registration.reject(outcome.use, reason, made);
      const recorded = await registrations.record(rejected, 'RegistrationRejected', cause, eventId);
      if (recorded === 'known') await registrations.take(eventId);
      ports.log('registration rejected', { bookingId, reason });
      return 'done';
    }
  }
}
