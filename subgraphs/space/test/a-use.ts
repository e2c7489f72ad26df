import { v7 as uuidv7 } from 'uuid';
import { cancelRegistration } from '../src/application/cancel-registration.ts';
import { registerUse } from '../src/application/register-use.ts';
import type { PublishedBooking } from '../src/domain/published-booking.ts';
import type { PaidUse } from '../src/domain/registration.ts';
import type { SpaceContext } from './a-space-context.ts';

const START = Date.UTC(2030, 5, 3);
export const hours = (from: number, to: number) => ({
  startAt: new Date(START + from * 3_600_000),
  endAt: new Date(START + to * 3_600_000),
});

export const toPaid = ({ bookingId, spaceId, slot }: PaidUse): PublishedBooking => ({
  ...{ bookingId, spaceId, slot },
  status: 'PAID',
  version: 2,
});
export const toCancelling = (use: PaidUse): PublishedBooking => ({
  ...toPaid(use),
  status: 'CANCELLING',
  version: 4,
});

/** What the tests of registrations do with the uses of spaces, and read of them. */
export function testUses({ ports, database, list }: SpaceContext) {
  return {
    aUse: async (changes: Partial<PaidUse> = {}): Promise<PaidUse> => ({
      bookingId: uuidv7(),
      paymentId: uuidv7(),
      spaceId: changes.spaceId ?? (await list()).id,
      slot: hours(0, 2),
      ...changes,
    }),

    /** Registers by an event of book and one of payment, in that order. */
    async register(use: PaidUse, eventId = uuidv7()) {
      await registerUse(ports, toPaid(use), uuidv7());
      return registerUse(ports, use, eventId);
    },
    cancel: (use: PaidUse, eventId = uuidv7()) =>
      cancelRegistration(ports, toCancelling(use), eventId),

    findState: async ({ bookingId }: PaidUse) =>
      (await ports.registrations.findByBooking(bookingId))?.state,
    async publishedTypes({ bookingId }: PaidUse) {
      const rows = await database.query<{ type: string }>(
        `SELECT type FROM outbox WHERE payload->>'bookingId' = $1 ORDER BY version`,
        [bookingId],
      );
      return rows.map(({ type }) => type);
    },
    isProcessed: async (eventId: string) =>
      (await database.query('SELECT FROM inbox WHERE event_id = $1', [eventId])).length > 0,
  };
}
