import { spaceEvents } from '#contracts/space.ts';
import { type EventRecord, newEvent } from '#platform/events.ts';
import { insertInbox, takeEvent } from '#platform/inbox.ts';
import { insertOutbox } from '#platform/outbox.ts';
import { type Pool, statement } from '#platform/postgres.ts';
import type { Relay } from '#platform/relay.ts';
import type { PrismaClient } from '#prisma/space/generated/client.ts';
import { Registration } from '../domain/registration.ts';
import type { RegistrationNews, RegistrationStore } from '../ports.ts';

// ON CONFLICT covers all three at once: the booking's key, the payment's key and the exclusion
// constraint that keeps two registered uses of a space apart.
const insertRegistration = statement<{ made: boolean }>(
  'registration-insert',
  `WITH made AS (
     INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
            reject_reason, version, registered_at, cancelled_at)
     SELECT $1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::timestamptz, $6::timestamptz,
            $7::registration_status, $8, 1, $9::timestamptz, $10::timestamptz
      WHERE $7 <> 'REGISTERED' OR EXISTS (SELECT FROM space WHERE id = $4::uuid)
     ON CONFLICT DO NOTHING
  RETURNING id),
   ${insertInbox('$11', 'EXISTS (SELECT FROM made)')},
   told AS (${insertOutbox('$12', 'EXISTS (SELECT FROM made)')})
   SELECT EXISTS (SELECT FROM made) AS made`,
);

const updateRegistration = statement<{ saved: boolean }>(
  'registration-save',
  `WITH changed AS (
     UPDATE registration SET status = $3::registration_status, version = $4, cancelled_at = $5
      WHERE id = $1::uuid AND version = $2
        AND NOT EXISTS (SELECT FROM inbox WHERE event_id = $6::uuid)
  RETURNING id),
   ${insertInbox('$6', 'EXISTS (SELECT FROM changed)', '')},
   told AS (${insertOutbox('$7', 'EXISTS (SELECT FROM changed)')})
   SELECT EXISTS (SELECT FROM changed) AS saved`,
);

/** Registrations in PostgreSQL; tables and constraints are Prisma's migrations in prisma/space. */
export function prismaRegistrationStore(
  prisma: PrismaClient,
  pool: Pool,
  relay: Pick<Relay, 'publish'>,
): RegistrationStore {
  async function findByBooking(bookingId: string): Promise<Registration | null> {
    const row = await prisma.spaceRegistration.findUnique({ where: { bookingId } });
    if (!row) return null;
    const { startAt, endAt, ...rest } = row;
    return new Registration({ ...rest, slot: { startAt, endAt } });
  }

  async function insert(registration: Registration, news: RegistrationNews, eventId: string) {
    const { state } = registration;
    const event = eventOf(news, registration);
    const [row] = await insertRegistration(
      pool,
      state.id,
      state.bookingId,
      state.paymentId,
      state.spaceId,
      state.slot.startAt,
      state.slot.endAt,
      state.status,
      state.rejectReason,
      state.registeredAt,
      state.cancelledAt,
      eventId,
      JSON.stringify([event]),
    );
    if (row?.made) relay.publish([event]);
    return row?.made === true;
  }

  return {
    findByBooking,

    async register(registration, eventId) {
      if (await insert(registration, 'Registered', eventId)) return 'registered';
      const { bookingId, spaceId } = registration.state;
      if (await findByBooking(bookingId)) return 'known';
      const listed = await prisma.space.count({ where: { id: spaceId } });
      return listed > 0 ? 'overlap' : 'no-space';
    },

    record: async (registration, news, eventId) =>
      (await insert(registration, news, eventId)) ? 'saved' : 'known',

    async save(previous, next, news, eventId) {
      const { state } = next;
      const event = eventOf(news, next);
      const [row] = await updateRegistration(
        pool,
        state.id,
        previous.state.version,
        state.status,
        state.version,
        state.cancelledAt,
        eventId,
        JSON.stringify([event]),
      );
      if (!row?.saved) return 'stale';
      relay.publish([event]);
      return 'saved';
    },

    take: async (eventId) => void (await takeEvent(pool, eventId)),
  };
}

function eventOf(news: RegistrationNews, { state }: Registration): EventRecord {
  return newEvent(news, spaceEvents[news], {
    aggregateId: state.id,
    version: state.version,
    occurredAt: new Date(),
    payload: {
      registrationId: state.id,
      bookingId: state.bookingId,
      paymentId: state.paymentId,
      status: state.status,
      reason: state.rejectReason,
    },
  });
}
