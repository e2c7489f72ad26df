import { spaceEvents } from '#contracts/space.ts';
import { namedStatement } from '#platform/database/named-statement.ts';
import type { Pool } from '#platform/database/postgres.ts';
import { newEvent } from '#platform/messaging/events.ts';
import { insertInbox, recordProcessed } from '#platform/messaging/inbox.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import type { PrismaClient } from '#prisma/space/generated/client.ts';
import type { ApprovedPayment, PublishedBooking } from '../domain/published-booking.ts';
import { type PaidUse, Registration } from '../domain/registration.ts';
import type { RegisterOutcome, RegistrationEventType, RegistrationStore } from '../ports.ts';
import {
  HOLDS_PAID,
  type OccupancyName,
  toOccupancyValues,
  UPSERT_OCCUPANCY,
} from './occupied-slots.ts';

/** Appendix A of the PostgreSQL documentation. */
const EXCLUSION_VIOLATION = '23P01';

interface JoinedRow {
  isComplete: boolean;
  isRegistered: boolean;
  paymentId: string;
  spaceId: string;
  startAt: Date;
  endAt: Date;
}

// Of two workers, one with book's event and one with payment's, the second waits for the row's lock and
// sees both. All statements lock the row before a registration: another order could deadlock. ON CONFLICT
// covers the booking's key, the payment's key and the exclusion constraint.
const joinAndRegister = namedStatement<
  JoinedRow,
  OccupancyName | 'id' | 'now' | 'eventId' | 'events'
>(
  'registration-insert',
  `WITH joined AS (${UPSERT_OCCUPANCY} RETURNING *),
   complete AS (SELECT * FROM joined WHERE ${HOLDS_PAID} AND payment_id IS NOT NULL),
   registered AS (
     INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
            version, registered_at)
     SELECT :id::uuid, booking_id, payment_id, space_id, start_at, end_at, 'REGISTERED', 1,
            :now::timestamptz
       FROM complete WHERE EXISTS (SELECT FROM space WHERE id = complete.space_id)
     ON CONFLICT DO NOTHING
  RETURNING payment_id),
   ${insertInbox(':eventId', 'NOT EXISTS (SELECT FROM complete) OR EXISTS (SELECT FROM registered)')},
   published AS (${insertOutbox(
     "(SELECT jsonb_set(:events::jsonb, '{0,payload,paymentId}', to_jsonb(payment_id)) FROM registered)",
   )})
   SELECT EXISTS (SELECT FROM complete) AS "isComplete",
          EXISTS (SELECT FROM registered) AS "isRegistered",
          payment_id AS "paymentId", space_id AS "spaceId", start_at AS "startAt",
          end_at AS "endAt"
     FROM joined`,
);

const insertRegistration = namedStatement<
  { saved: boolean },
  | OccupancyName
  | ('id' | 'paymentId' | 'status' | 'rejectReason' | 'cancelledAt' | 'eventId' | 'events')
>(
  'registration-record',
  `WITH joined AS (${UPSERT_OCCUPANCY} RETURNING booking_id),
   inserted AS (
     INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
            reject_reason, version, cancelled_at)
     SELECT :id::uuid, booking_id, :paymentId::uuid, :spaceId::uuid, :startAt::timestamptz,
            :endAt::timestamptz, :status::registration_status, :rejectReason, 1,
            :cancelledAt::timestamptz
       FROM joined
     ON CONFLICT DO NOTHING
  RETURNING id),
   ${insertInbox(':eventId', 'EXISTS (SELECT FROM inserted)')},
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM inserted)')})
   SELECT EXISTS (SELECT FROM inserted) AS saved`,
);

const updateRegistration = namedStatement<
  { saved: boolean },
  | OccupancyName
  | ('id' | 'previousVersion' | 'status' | 'version' | 'cancelledAt' | 'eventId' | 'events')
>(
  'registration-save',
  `WITH joined AS (${UPSERT_OCCUPANCY} RETURNING booking_id),
   changed AS (
     UPDATE registration SET status = :status::registration_status, version = :version,
            cancelled_at = :cancelledAt
       FROM joined
      WHERE id = :id::uuid AND version = :previousVersion
        AND NOT EXISTS (SELECT FROM inbox WHERE event_id = :eventId::uuid)
  RETURNING id),
   ${insertInbox(':eventId', 'EXISTS (SELECT FROM changed)', '')},
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM changed)')})
   SELECT EXISTS (SELECT FROM changed) AS saved`,
);

const moveRegistration = namedStatement<
  { saved: boolean; isOutdated: boolean },
  OccupancyName | 'id' | 'previousVersion' | 'registrationVersion' | 'eventId' | 'events'
>(
  'registration-move',
  `WITH joined AS (${UPSERT_OCCUPANCY} RETURNING booking_id, version),
   outdated AS (
     SELECT FROM joined WHERE version > :causeVersion::int
      UNION ALL
     SELECT FROM inbox WHERE event_id = :eventId::uuid),
   changed AS (
     UPDATE registration SET start_at = :startAt::timestamptz, end_at = :endAt::timestamptz,
            version = :registrationVersion::int
      WHERE id = :id::uuid AND version = :previousVersion::int AND NOT EXISTS (SELECT FROM outdated)
  RETURNING id),
   ${insertInbox(':eventId', 'EXISTS (SELECT FROM changed) OR EXISTS (SELECT FROM outdated)')},
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM changed)')})
   SELECT EXISTS (SELECT FROM changed) AS saved, EXISTS (SELECT FROM outdated) AS "isOutdated"`,
);

// A registered booking that book published as paid still holds its slot: book releases it only after
// the registration is cancelled here.
const findLiveRival = namedStatement<
  { found: boolean },
  'bookingId' | 'paymentId' | 'spaceId' | 'startAt' | 'endAt'
>(
  'registration-live-rival',
  `WITH rival AS (
     SELECT booking_id FROM registration
      WHERE status = 'REGISTERED' AND space_id = :spaceId::uuid
        AND tstzrange(start_at, end_at, '[)') && tstzrange(:startAt, :endAt, '[)')
      UNION ALL
     SELECT booking_id FROM registration WHERE status = 'REGISTERED' AND payment_id = :paymentId::uuid)
   SELECT EXISTS (SELECT FROM rival JOIN occupied_slot USING (booking_id)
                   WHERE booking_id <> :bookingId::uuid AND ${HOLDS_PAID}) AS found`,
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

  /** The reason why a use that book and payment agree on was not registered. */
  async function findObstacle(use: PaidUse): Promise<RegisterOutcome> {
    const { bookingId, paymentId, spaceId, slot } = use;
    if (await findByBooking(bookingId)) return { type: 'exists' };
    if ((await prisma.space.count({ where: { id: spaceId } })) === 0) {
      return { type: 'no-space', use };
    }
    const { startAt, endAt } = slot;
    const [rival] = await findLiveRival(pool, { bookingId, paymentId, spaceId, startAt, endAt });
    return rival?.found ? { type: 'overlap', use } : { type: 'contested' };
  }

  return {
    findByBooking,

    async register(cause: PublishedBooking | ApprovedPayment, creation, eventId) {
      const { bookingId } = cause;
      // The row has the payment's id; the statement puts it into the event.
      const withoutPayment = Registration.register({ ...cause, paymentId: '' }, creation);
      const event = toEvent('Registered', withoutPayment);
      const [row] = await joinAndRegister(pool, {
        ...toOccupancyValues(cause),
        ...creation,
        eventId,
        events: JSON.stringify([event]),
      });
      if (!row?.isComplete) return { type: 'incomplete' };
      const { paymentId, spaceId, startAt, endAt } = row;
      if (!row.isRegistered) {
        return findObstacle({ bookingId, paymentId, spaceId, slot: { startAt, endAt } });
      }
      relay.publish([{ ...event, payload: { ...event.payload, paymentId } }]);
      return { type: 'registered' };
    },

    async record(registration, eventType, cause, eventId) {
      const { state } = registration;
      const event = toEvent(eventType, registration);
      const { id, paymentId, status, rejectReason, cancelledAt } = state;
      const [row] = await insertRegistration(pool, {
        ...toOccupancyValues(cause),
        ...{ id, paymentId, status, rejectReason, cancelledAt, eventId },
        events: JSON.stringify([event]),
      });
      if (!row?.saved) return 'exists';
      relay.publish([event]);
      return 'saved';
    },

    async save(previous, next, eventType, booking, eventId) {
      const { state } = next;
      const event = toEvent(eventType, next);
      const { id, status, version, cancelledAt } = state;
      const [row] = await updateRegistration(pool, {
        ...toOccupancyValues(booking),
        ...{ id, previousVersion: previous.state.version, status, version, cancelledAt, eventId },
        events: JSON.stringify([event]),
      });
      if (!row?.saved) return 'stale';
      relay.publish([event]);
      return 'saved';
    },

    async move(previous, next, booking, eventId) {
      const { id, version } = next.state;
      const event = newEvent('RegistrationMoved', spaceEvents.RegistrationMoved, {
        aggregateId: id,
        version,
        occurredAt: new Date(),
        payload: { ...toPayload(next), bookingVersion: booking.version },
      });
      const [row] = await moveRegistration(pool, {
        ...toOccupancyValues(booking),
        ...{ id, previousVersion: previous.state.version, registrationVersion: version, eventId },
        events: JSON.stringify([event]),
      }).catch(onOverlap);
      if (!row) return 'contested';
      if (row.isOutdated) return 'outdated';
      if (!row.saved) return 'stale';
      relay.publish([event]);
      return 'saved';
    },

    markProcessed: async (eventId) => void (await recordProcessed(pool, eventId)),
  };
}

/** No row where another registration has the slot. */
function onOverlap(error: Error & { code?: string }): [] {
  if (error.code === EXCLUSION_VIOLATION) return [];
  throw error;
}

function toEvent(type: RegistrationEventType, registration: Registration) {
  const { id, version } = registration.state;
  return newEvent(type, spaceEvents[type], {
    aggregateId: id,
    version,
    occurredAt: new Date(),
    payload: toPayload(registration),
  });
}

function toPayload({ state }: Registration) {
  return {
    registrationId: state.id,
    bookingId: state.bookingId,
    paymentId: state.paymentId,
    status: state.status,
    reason: state.rejectReason,
  };
}
