import {
  inTransaction,
  type Pool,
  type Queryable,
  statement,
} from '#platform/database/postgres.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import { insertInbox, takeEvent } from '#platform/messaging/inbox.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import { type AuditEntry, insertAuditEntry } from '#platform/operator/audit.ts';
import type { PrismaClient } from '#prisma/book/generated/client.ts';
import { Booking } from '../domain/booking.ts';
import type { ActingPrincipal, BookingStore, SaveResult } from '../ports.ts';
import { toCancelEntry, toRequestEntry } from './booking-audit.ts';
import { toEvent } from './booking-events.ts';
import { type BookingRow, COLUMNS, toBooking } from './booking-rows.ts';
import {
  byKey,
  claimUnpaid,
  hasStaleHolds,
  insertBooking,
  lockCustomer,
  lockStaleHolds,
  now,
} from './hold-statements.ts';
import { occupiedSlots } from './occupied-slots.ts';

/** Columns of the database's own, no part of a booking's state. */
const NOT_STATE = {
  live: true,
  paymentMethodDigest: true,
  statusSince: true,
  deadlineAt: true,
  nextCheckAt: true,
  checks: true,
} as const;

const forEvent = statement<BookingRow & { taken: boolean }>(
  'booking-for-event',
  `SELECT ${COLUMNS}, EXISTS (SELECT FROM inbox WHERE event_id = $2::uuid) AS taken
     FROM booking WHERE id = $1::uuid`,
);

const saving = (more = '') => `
   WITH changed AS (
     UPDATE booking
        SET status = $3::booking_status, live = $4, version = $5, next_payment_attempt_at = $6,
            refund_amount = $7, payment_cancelled = $8, registration_cancelled = $9,
            payment_method = $12
      WHERE id = $1::uuid AND version = $2
        AND NOT EXISTS (SELECT FROM inbox WHERE event_id = $10::uuid)
  RETURNING id),
   ${insertInbox('$10', '$10::uuid IS NOT NULL AND EXISTS (SELECT FROM changed)', '')},
   told AS (${insertOutbox('$11', 'EXISTS (SELECT FROM changed)')})
   ${more}
   SELECT EXISTS (SELECT FROM changed) AS saved`;

const updateBooking = statement<{ saved: boolean }>('booking-save', saving());

const updateByPerson = statement<{ saved: boolean }>(
  'booking-save-by-person',
  saving(`, noted AS (${insertAuditEntry('$13', 'EXISTS (SELECT FROM changed)')})`),
);

/** What leads to a new version: an event, or a person. */
interface Cause {
  eventId?: string | undefined;
  noted?: AuditEntry;
}

/** A booking that was written, and the events to publish. */
interface Held {
  booking: Booking;
  events: EventRecord[];
}

/** Rolls a transaction back: what it would have released stays as it was. */
class Refused extends Error {
  readonly reason: 'too-many' | 'conflict';

  constructor(reason: 'too-many' | 'conflict') {
    super(reason);
    this.reason = reason;
  }
}

/** Bookings in PostgreSQL; tables and constraints are Prisma's migrations in prisma/book. */
export function prismaBookingStore(
  prisma: PrismaClient,
  pool: Pool,
  relay: Pick<Relay, 'publish'>,
): BookingStore {
  async function save(db: Queryable, previous: Booking, next: Booking, cause: Cause = {}) {
    const { state } = next;
    const events = state.status === previous.state.status ? [] : [toEvent(next)];
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
      state.paymentMethod,
    ];
    const [row] = cause.noted
      ? await updateByPerson(db, ...values, JSON.stringify(cause.noted))
      : await updateBooking(db, ...values);
    return { saved: row?.saved === true, events };
  }

  async function saveAndPublish(
    previous: Booking,
    next: Booking,
    cause: Cause,
  ): Promise<SaveResult> {
    const { saved, events } = await save(pool, previous, next, cause);
    if (!saved) return 'stale';
    relay.publish(events);
    return 'saved';
  }

  /** The booking as it was written, and its event; otherwise why it was not. */
  async function insert(
    db: Queryable,
    booking: Booking,
    maxUnpaidHolds: number,
    by: ActingPrincipal,
  ): Promise<Held | 'too-many' | 'conflict'> {
    const { state } = booking;
    const events = [toEvent(booking)];
    const firstAttemptAt = state.nextPaymentAttemptAt ?? state.requestedAt;
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
      state.version,
      state.holdExpiresAt.getTime() - state.requestedAt.getTime(),
      state.paymentAttempts,
      firstAttemptAt.getTime() - state.requestedAt.getTime(),
      state.correlationId,
      maxUnpaidHolds,
      JSON.stringify(events),
      JSON.stringify(toRequestEntry(booking, by)),
    );
    if (!row) throw new Error('a request for a booking led to no row');
    const { unpaid, requestedAt, holdExpiresAt, nextPaymentAttemptAt } = row;
    if (requestedAt === null) return unpaid >= maxUnpaidHolds ? 'too-many' : 'conflict';
    const instants = { requestedAt, holdExpiresAt, nextPaymentAttemptAt };
    return { booking: new Booking({ ...state, ...instants }), events };
  }

  /** In one transaction: gives free the expired holds that overlap, then holds the slot. */
  async function insertOverStaleHolds(
    booking: Booking,
    maxUnpaidHolds: number,
    by: ActingPrincipal,
  ): Promise<Held | 'too-many' | 'conflict'> {
    const { customerId, spaceId, slot } = booking.state;
    // Most are refused by a booking that stands: they need no transaction.
    const [stale] = await hasStaleHolds(pool, spaceId, slot.startAt, slot.endAt);
    if (!stale?.found) return 'conflict';
    const work = inTransaction(pool, async (db) => {
      await lockCustomer(db, customerId);
      const released: EventRecord[] = [];
      for (const row of await lockStaleHolds(db, spaceId, slot.startAt, slot.endAt)) {
        const { now, ...stored } = row;
        const hold = toBooking(stored);
        const expired = hold.expire(now);
        if (expired instanceof Booking) released.push(...(await save(db, hold, expired)).events);
      }
      const held = await insert(db, booking, maxUnpaidHolds, by);
      if (typeof held === 'string') throw new Refused(held);
      return { ...held, events: [...released, ...held.events] };
    });
    return work.catch((error) => {
      if (error instanceof Refused) return error.reason;
      throw error;
    });
  }

  return {
    async now() {
      const [row] = await now(pool);
      if (!row) throw new Error('the database shows no time');
      return row.now;
    },
    async find(id) {
      const row = await prisma.booking.findUnique({ where: { id }, omit: NOT_STATE });
      return row && toBooking(row as unknown as BookingRow);
    },
    async findByKey(customerId, idempotencyKey, paymentMethod) {
      const [row] = await byKey(pool, customerId, idempotencyKey, paymentMethod);
      if (!row) return null;
      const { hasPaymentMethod, ...stored } = row;
      return { booking: toBooking(stored), hasPaymentMethod };
    },
    async findForEvent(id, eventId) {
      const [row] = await forEvent(pool, id, eventId);
      if (!row) return { booking: null, isProcessed: false };
      const { taken, ...stored } = row;
      return { booking: toBooking(stored), isProcessed: taken };
    },
    async insert(booking, maxUnpaidHolds, by) {
      const first = await insert(pool, booking, maxUnpaidHolds, by);
      const held =
        first === 'conflict' ? await insertOverStaleHolds(booking, maxUnpaidHolds, by) : first;
      if (typeof held !== 'string') {
        relay.publish(held.events);
        return held.booking;
      }
      const { customerId, idempotencyKey } = booking.state;
      // A repeated request is answered like the first one, also where it would be refused now.
      if ((await byKey(pool, customerId, idempotencyKey, '')).length > 0) return 'key-taken';
      return held === 'conflict' ? 'overlap' : held;
    },
    save: (previous, next, eventId) => saveAndPublish(previous, next, { eventId }),
    saveCancellation: (previous, next, by) =>
      saveAndPublish(previous, next, { noted: toCancelEntry(next, by) }),
    recordEvent: async (eventId) => void (await takeEvent(pool, eventId)),
    occupiedSlots: occupiedSlots(pool),
    claimUnpaid: async (limit, which) =>
      (await claimUnpaid(pool, limit, which === 'expired')).map(({ now, ...row }) => ({
        booking: toBooking(row),
        now,
      })),
  };
}
