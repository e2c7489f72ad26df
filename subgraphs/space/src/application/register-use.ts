import { type PaidUse, Registration } from '../domain/registration.ts';
import type { SpacePorts } from '../ports.ts';

/** Registers the use of a space that was paid for: once per payment, however often it is told. */
export async function registerUse(ports: SpacePorts, use: PaidUse, eventId: string): Promise<void> {
  const { registrations } = ports;
  const made = { id: ports.newId(), now: ports.clock() };
  const { bookingId } = use;
  const outcome = await registrations.register(Registration.register(use, made), eventId);
  switch (outcome) {
    case 'registered':
      ports.log('use registered', { bookingId });
      return;
    case 'known':
      // Registered before, or cancelled before it came to that.
      await registrations.take(eventId);
      ports.log('registration known already', { bookingId });
      return;
    case 'overlap':
    case 'no-space': {
      const reason =
        outcome === 'overlap'
          ? 'Another use is registered at that time.'
          : 'The space is not in the catalogue.';
      const rejected = Registration.reject(use, reason, made);
      const recorded = await registrations.record(rejected, 'RegistrationRejected', eventId);
      if (recorded === 'known') await registrations.take(eventId);
      ports.log('registration rejected', { bookingId, reason });
      return;
    }
  }
}
