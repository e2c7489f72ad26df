import { type AuditEntry, insertAuditEntry } from '#platform/audit.ts';
import type { EventRecord } from '#platform/events.ts';
import { insertOutbox } from '#platform/outbox.ts';
import { inTransaction, type Pool, type Queryable, statement } from '#platform/postgres.ts';
import type { Relay } from '#platform/relay.ts';
import type { PrismaClient, Booking as StoredBooking } from '#prisma/book/generated/client.ts';
import { Booking, type BookingState } from '../domain/booking.ts';
import type { Currency } from '../domain/money.ts';
import type { Actor, BookingStore, Saved } from '../ports.ts';
import { cancelEntry, requestEntry } from './booking-audit.ts';
import { eventOf } from './booking-events.ts';
import { occupiedSlots } from './occupied-slots.ts';

type BookingRow = Omit<BookingState, 'slot' | 'price' | 'refund'> & {
  startAt: Date;
  endAt: Date;
  priceAmount: number;
  currency: Currency;
  refundAmount: number | null;
};

const COLUMNS = `
  id, customer_id AS "customerId", idempotency_key AS "idempotencyKey", space_id AS "spaceId",
  host_id AS "hostId", space_name AS "spaceName", time_zone AS "timeZone", start_at AS "startAt",
  end_at AS "endAt", headcount, price_amount AS "priceAmount", currency,
  refund_tiers AS "refundTiers", payment_method AS "paymentMethod", status, version,
  requested_at AS "requestedAt", hold_expires_at AS "holdExpiresAt",
  payment_attempts AS "paymentAttempts", next_payment_attempt_at AS "nextPaymentAttemptAt",
  refund_amount AS "refundAmount", payment_cancelled AS "paymentCancelled",
  registration_cancelled AS "registrationCancelled", correlation_id AS "correlationId"`;

const forEvent = statement<BookingRow & { taken: boolean }>(
  'booking-for-event',
  `SELECT ${COLUMNS}, EXISTS (SELECT FROM inbox WHERE event_id = $2::uuid) AS taken
     FROM booking WHERE id = $1::uuid`,
);

// ON CONFLICT covers the exclusion constraint and the idempotency key. A plain insert would write
// first and look afterwards: with the holder's next update it could end in a deadlock, each waiting
// for the other. This looks first and waits with empty hands.
const insertBooking = statement<{ held: boolean }>(
  'booking-request',
  `WITH held AS (
     INSERT INTO booking (id, customer_id, idempotency_key, space_id, host_id, space_name,
            time_zone, start_at, end_at, headcount, price_amount, currency, refund_tiers,
            payment_method, status, live, version, requested_at, hold_expires_at,
            payment_attempts, next_payment_attempt_at, correlation_id)
     VALUES ($1::uuid, $2, $3, $4::uuid, $5, $6, $7, $8, $9, $10, $11, $12::currency, $13::jsonb,
            $14, $15::booking_status, TRUE, $16, $17, $18, $19, $20, $21)
     ON CONFLICT DO NOTHING
  RETURNING id),
   told AS (${insertOutbox('$22', 'EXISTS (SELECT FROM held)')}),
   noted AS (${insertAuditEntry('$23', 'EXISTS (SELECT FROM held)')})
   SELECT EXISTS (SELECT FROM held) AS held`,
);

const STALE_HOLDS = `
     FROM booking
    WHERE space_id = $1::uuid AND live
      AND tstzrange(start_at, end_at, '[)') && tstzrange($2, $3, '[)')
      AND status IN ('REQUESTED', 'PAYMENT_DEFERRED') AND hold_expires_at <= $4`;

const hasStaleHolds = statement<{ found: boolean }>(
  'booking-has-stale-holds',
  `SELECT EXISTS (SELECT ${STALE_HOLDS}) AS found`,
);

const lockStaleHolds = statement<BookingRow>(
  'booking-lock-stale-holds',
  `SELECT ${COLUMNS} ${STALE_HOLDS} ORDER BY id FOR UPDATE`,
);

const saving = (more = '') => `
   WITH changed AS (
     UPDATE booking
        SET status = $3::booking_status, live = $4, version = $5, next_payment_attempt_at = $6,
            refund_amount = $7, payment_cancelled = $8, registration_cancelled = $9
      WHERE id = $1::uuid AND version = $2
        AND NOT EXISTS (SELECT FROM inbox WHERE event_id = $10::uuid)
  RETURNING id),
   taken AS (
     INSERT INTO inbox (event_id) SELECT $10::uuid FROM changed WHERE $10::uuid IS NOT NULL),
   told AS (${insertOutbox('$11', 'EXISTS (SELECT FROM changed)')})
   ${more}
   SELECT EXISTS (SELECT FROM changed) AS saved`;

const updateBooking = statement<{ saved: boolean }>('booking-save', saving());

const updateByPerson = statement<{ saved: boolean }>(
  'booking-save-by-person',
  saving(`, noted AS (${insertAuditEntry('$12', 'EXISTS (SELECT FROM changed)')})`),
);

const takeEvent = statement(
  'inbox-take',
  'INSERT INTO inbox (event_id) VALUES ($1::uuid) ON CONFLICT DO NOTHING',
);

// The lease keeps other sweepers away for as long as a payment call may take.
const claimUnpaid = statement<BookingRow>(
  'booking-claim-unpaid',
  `UPDATE booking
      SET payment_attempts = payment_attempts + 1,
          next_payment_attempt_at = $1::timestamptz + interval '10 seconds'
    WHERE id IN (SELECT id FROM booking
                  WHERE status IN ('REQUESTED', 'PAYMENT_DEFERRED')
                    AND next_payment_attempt_at <= $1
                    AND (NOT $3::boolean OR hold_expires_at <= $1)
                  ORDER BY next_payment_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING ${COLUMNS}`,
);

/** What leads to a new version: an event, or a person. */
interface Cause {
  eventId?: string | undefined;
  noted?: AuditEntry;
}

/** Rolls a transaction back: what it would have released stays as it was. */
class NotHeld extends Error {}

/** Bookings in PostgreSQL; tables and constraints are Prisma's migrations in prisma/book. */
export function prismaBookingStore(
  prisma: PrismaClient,
  pool: Pool,
  relay: Pick<Relay, 'publish'>,
): BookingStore {
  async function save(db: Queryable, previous: Booking, next: Booking, cause: Cause = {}) {
    const { state } = next;
    const events = state.status === previous.state.status ? [] : [eventOf(next)];
    const values = [
      state.id,
      previous.state.version,
      state.status,
      next.live,
      state.version,
      state.nextPaymentAttemptAt,
      state.refund?.amount ?? null,
      state.paymentCancelled,
      state.registrationCancelled,
      cause.eventId ?? null,
      JSON.stringify(events),
    ];
    const [row] = cause.noted
      ? await updateByPerson(db, ...values, JSON.stringify(cause.noted))
      : await updateBooking(db, ...values);
    return { saved: row?.saved === true, events };
  }

  async function saveAndPublish(previous: Booking, next: Booking, cause: Cause): Promise<Saved> {
    const { saved, events } = await save(pool, previous, next, cause);
    if (!saved) return 'stale';
    relay.publish(events);
    return 'saved';
  }

  /** The events to publish; null when the slot or the key is taken. */
  async function insert(db: Queryable, booking: Booking, by: Actor): Promise<EventRecord[] | null> {
    const { state } = booking;
    const events = [eventOf(booking)];
    const [row] = await insertBooking(
      db,
      state.id,
      state.customerId,
      state.idempotencyKey,
      state.spaceId,
      state.hostId,
      state.spaceName,
      state.timeZone,
      state.slot.startAt,
      state.slot.endAt,
      state.headcount,
      state.price.amount,
      state.price.currency,
      JSON.stringify(state.refundTiers),
      state.paymentMethod,
      state.status,
      state.version,
      state.requestedAt,
      state.holdExpiresAt,
      state.paymentAttempts,
      state.nextPaymentAttemptAt,
      state.correlationId,
      JSON.stringify(events),
      JSON.stringify(requestEntry(booking, by)),
    );
    return row?.held ? events : null;
  }

  /** In one transaction: gives free the expired holds that overlap, then holds the slot. */
  async function insertOverStaleHolds(
    booking: Booking,
    now: Date,
    by: Actor,
  ): Promise<EventRecord[] | null> {
    const { spaceId, slot } = booking.state;
    // Most are refused by a booking that stands: they need no transaction.
    const [stale] = await hasStaleHolds(pool, spaceId, slot.startAt, slot.endAt, now);
    if (!stale?.found) return null;
    const work = inTransaction(pool, async (db) => {
      const released: EventRecord[] = [];
      for (const row of await lockStaleHolds(db, spaceId, slot.startAt, slot.endAt, now)) {
        const hold = toBooking(row);
        const expired = hold.expire(now);
        if (expired instanceof Booking) released.push(...(await save(db, hold, expired)).events);
      }
      const held = await insert(db, booking, by);
      if (!held) throw new NotHeld();
      return [...released, ...held];
    });
    return work.catch((error) => {
      if (error instanceof NotHeld) return null;
      throw error;
    });
  }

  const findByKey = async (customerId: string, idempotencyKey: string) =>
    toBookingOrNull(
      await prisma.booking.findUnique({
        where: { customerId_idempotencyKey: { customerId, idempotencyKey } },
        omit: { live: true },
      }),
    );

  return {
    async find(id) {
      return toBookingOrNull(
        await prisma.booking.findUnique({ where: { id }, omit: { live: true } }),
      );
    },
    findByKey,
    async findForEvent(id, eventId) {
      const [row] = await forEvent(pool, id, eventId);
      return { booking: toBookingOrNull(row), taken: row?.taken ?? false };
    },
    async request(booking, now, by) {
      const events =
        (await insert(pool, booking, by)) ?? (await insertOverStaleHolds(booking, now, by));
      if (events) {
        relay.publish(events);
        return 'held';
      }
      const { customerId, idempotencyKey } = booking.state;
      return (await findByKey(customerId, idempotencyKey)) ? 'key-taken' : 'overlap';
    },
    save: (previous, next, eventId) => saveAndPublish(previous, next, { eventId }),
    saveCancellation: (previous, next, by) =>
      saveAndPublish(previous, next, { noted: cancelEntry(next, by) }),
    take: async (eventId) => void (await takeEvent(pool, eventId)),
    occupied: occupiedSlots(pool),
    claimUnpaid: async (now, limit, which) =>
      (await claimUnpaid(pool, now, limit, which === 'expired')).map(toBooking),
  };
}

function toBooking(row: BookingRow): Booking {
  const { startAt, endAt, priceAmount, currency, refundAmount, ...rest } = row;
  return new Booking({
    ...rest,
    slot: { startAt, endAt },
    price: { amount: priceAmount, currency },
    refund: refundAmount === null ? null : { amount: refundAmount, currency },
  });
}

function toBookingOrNull(
  row: Omit<StoredBooking, 'live'> | BookingRow | null | undefined,
): Booking | null {
  return row ? toBooking(row as BookingRow) : null;
}
