import type { Pool } from '#platform/database/postgres.ts';
import { recordProcessed } from '#platform/messaging/inbox.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import type { PrismaClient } from '#prisma/book/generated/client.ts';
import { Booking } from '../domain/booking.ts';
import type { BookingStore, SaveResult } from '../ports.ts';
import { toActionEntry } from './booking-audit.ts';
import { type BookingRow, toBooking } from './booking-rows.ts';
import { claimExpiring, findByKey, findForEvent, readNow } from './booking-statements.ts';
import { findChange } from './change-statements.ts';
import { insertWithHold } from './insert-booking.ts';
import { occupiedSlots } from './occupied-slots.ts';
import { toBookedTerms, toChange } from './postgres-change-store.ts';
import { type Cause, saveBooking } from './save-booking.ts';

/** Columns of the database's own, no part of a booking's state. */
const NOT_STATE = {
  live: true,
  paymentMethodDigest: true,
  statusSince: true,
  deadlineAt: true,
  nextCheckAt: true,
  checks: true,
} as const;

/** Bookings in PostgreSQL; the migrations in prisma/book define its tables and constraints. */
export function prismaBookingStore(
  prisma: PrismaClient,
  pool: Pool,
  relay: Pick<Relay, 'publish'>,
): BookingStore {
  async function save(previous: Booking, next: Booking, cause: Cause): Promise<SaveResult> {
    const { saved, events } = await saveBooking(pool, previous, next, cause);
    if (!saved) return 'stale';
    relay.publish(events);
    return 'saved';
  }

  /** The change that an action ends: a cancellation ends the one that is not applied. */
  async function findEnding(previous: Booking, next: Booking): Promise<Cause['ending']> {
    const { openChange } = previous.state;
    if (!openChange || openChange.appliedIn !== null || next.state.openChange) return undefined;
    const [row] = await findChange(pool, { id: openChange.id });
    return row && { change: toChange(row), state: 'EXPIRED' };
  }

  return {
    async now() {
      const [row] = await readNow(pool);
      if (!row) throw new Error('the database shows no time');
      return row.now;
    },
    async find(id) {
      const row = await prisma.booking.findUnique({ where: { id }, omit: NOT_STATE });
      return row && toBooking(row as unknown as BookingRow);
    },
    async findByKey(customerId, idempotencyKey, paymentMethod) {
      const [row] = await findByKey(pool, customerId, idempotencyKey, paymentMethod);
      if (!row) return null;
      const { hasPaymentMethod, firstTerms, ...stored } = row;
      const booking = toBooking(stored);
      const requested = firstTerms
        ? new Booking({ ...booking.state, ...toBookedTerms(firstTerms) })
        : booking;
      return { booking, requested, hasPaymentMethod };
    },
    async findForEvent(id, eventId) {
      const [row] = await findForEvent(pool, id, eventId);
      if (!row) return { booking: null, isProcessed: false };
      const { isProcessed, ...stored } = row;
      return { booking: toBooking(stored), isProcessed };
    },
    async insert(booking, maxUnpaidHolds, by) {
      const inserted = await insertWithHold(pool, { booking, maxUnpaidHolds, by });
      if (typeof inserted !== 'string') {
        relay.publish(inserted.events);
        return inserted.booking;
      }
      const { customerId, idempotencyKey } = booking.state;
      // A repeated request has the result of the first one, also where it would be refused now.
      if ((await findByKey(pool, customerId, idempotencyKey, '')).length > 0) return 'key-used';
      return inserted === 'conflict' ? 'overlap' : inserted;
    },
    save: (previous, next, eventId) => save(previous, next, { eventId }),
    async saveAction(previous, next, by, action) {
      const auditEntry = toActionEntry(next, by, action);
      return save(previous, next, { auditEntry, ending: await findEnding(previous, next) });
    },
    recordEvent: async (eventId) => void (await recordProcessed(pool, eventId)),
    occupiedSlots: occupiedSlots(pool),
    claimExpiring: async (limit, which) =>
      (await claimExpiring(pool, limit, which === 'expired')).map(({ now, ...row }) => ({
        booking: toBooking(row),
        now,
      })),
  };
}
