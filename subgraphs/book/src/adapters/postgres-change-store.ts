import { batched } from '#platform/database/batched.ts';
import type { Pool } from '#platform/database/postgres.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import type { Booking } from '../domain/booking.ts';
import { type BookedTerms, type BookingChange, endChange } from '../domain/booking-change.ts';
import { toHold } from '../domain/time-slot.ts';
import type { ActingPrincipal, ChangeStore } from '../ports.ts';
import { toChangeEntry } from './booking-audit.ts';
import { toEvent } from './booking-events.ts';
import * as sql from './change-statements.ts';
import { lockCustomer } from './hold-statements.ts';
import { saveBooking } from './save-booking.ts';
import { writeHold } from './stale-holds.ts';

/** When the payment is requested again if the process ends between the commit and the payment call. */
const FIRST_RETRY_MS = 5_000;

/** Changes of bookings in PostgreSQL; the holds of their slots are in the table of all holds. */
export function postgresChangeStore(pool: Pool, relay: Pick<Relay, 'publish'>): ChangeStore {
  const list = batched(async (bookingIds: readonly string[]) => {
    const rows = await sql.listChanges(pool, { bookingIds });
    return bookingIds.map((id) => rows.filter((row) => row.bookingId === id).map(toChange));
  });

  return {
    async begin(previous, next, change, limits) {
      const begun = await insertWithHold(pool, { previous, next, change, ...limits });
      if (begun === 'conflict') return 'overlap';
      if (typeof begun === 'string') return begun;
      relay.publish(begun.events);
      return begun.change;
    },

    async apply(previous, next, change) {
      const events = [toEvent(next, change)];
      const [row] = await sql.applyChange(pool, {
        changeId: change.id,
        bookingId: change.bookingId,
        previousVersion: previous.state.version,
        version: next.state.version,
        ...toTermColumns(change.to),
        events: JSON.stringify(events),
      });
      if (!row?.isApplied) return 'stale';
      relay.publish(events);
      return 'saved';
    },

    async end(previous, change, state) {
      const ending = { change, state };
      const { saved, events } = await saveBooking(pool, previous, endChange(previous), { ending });
      if (!saved) return 'stale';
      relay.publish(events);
      return 'saved';
    },

    async finish(previous, eventId) {
      const { id, version, openChange } = previous.state;
      const [row] = await sql.finishChange(pool, {
        ...{ changeId: openChange?.id ?? null, bookingId: id, previousVersion: version },
        ...{ version: endChange(previous).state.version, eventId },
      });
      return row?.isFinished ? 'saved' : 'stale';
    },

    find: async (id) => toFound(await sql.findChange(pool, { id })),
    findByKey: async (bookingId, idempotencyKey) =>
      toFound(await sql.findChangeByKey(pool, { bookingId, idempotencyKey })),
    list,
    claimDue: async (limit, which) =>
      (await sql.claimDueChanges(pool, { limit, onlyExpired: which === 'expired' })).map(
        ({ now, ...row }) => ({ change: toChange(row), now }),
      ),
    postpone: async ({ id }) => void (await sql.postponeChange(pool, { id })),
  };
}

/** A change to write, and the booking's versions before it and with it. */
interface Insertion {
  previous: Booking;
  next: Booking;
  change: BookingChange;
  holdSeconds: number;
  maxUnpaidHolds: number;
  by: ActingPrincipal;
}

/** Inserts the change with its hold; releases stale holds first where they alone are in the way. */
function insertWithHold(pool: Pool, insertion: Insertion) {
  const { previous, next, change, holdSeconds, maxUnpaidHolds, by } = insertion;
  const { spaceId, customerId, version: previousVersion } = previous.state;
  const hold = toHold(change.to);
  const starts = [change.to.slot, change.from.slot].map(({ startAt }) => startAt.getTime());
  const values = {
    ...{ id: change.id, bookingId: change.bookingId, spaceId, customerId, previousVersion },
    maxUnpaidHolds,
    ...{ version: next.state.version, holdStartAt: hold.startAt, holdEndAt: hold.endAt },
    idempotencyKey: change.idempotencyKey,
    fromTerms: JSON.stringify(change.from),
    toTerms: JSON.stringify(change.to),
    difference: change.difference,
    holdMs: holdSeconds * 1_000,
    firstRetryMs: FIRST_RETRY_MS,
    expiresBefore: new Date(Math.min(...starts)),
    auditEntry: JSON.stringify(toChangeEntry(previous, change, by)),
  };
  return writeHold<{ change: BookingChange; events: EventRecord[] }, 'stale' | 'too-many'>(
    pool,
    { spaceId, hold },
    async (db) => {
      const [row] = await sql.insertChange(db, values);
      if (!row?.isCurrent) return row && row.unpaid >= maxUnpaidHolds ? 'too-many' : 'stale';
      const { requestedAt, expiresAt } = row;
      if (requestedAt === null) return 'conflict';
      return { change: { ...change, requestedAt, expiresAt }, events: [] };
    },
    (db) => lockCustomer(db, customerId),
  );
}

function toTermColumns(terms: BookedTerms) {
  const { slot, headcount, bufferBeforeMinutes, bufferAfterMinutes } = terms;
  return {
    ...{ startAt: slot.startAt, endAt: slot.endAt, headcount },
    ...{ bufferBeforeMinutes, bufferAfterMinutes },
    addOns: JSON.stringify(terms.addOns),
    priceAmount: terms.price.amount,
    priceLines: JSON.stringify(terms.priceLines),
    vatAmount: terms.vat.amount,
    refundTiers: JSON.stringify(terms.refundTiers),
  };
}

function toFound([row]: readonly sql.ChangeRow[]): BookingChange | null {
  return row ? toChange(row) : null;
}

/** A change as it is in the database's row. */
export function toChange({ fromTerms, toTerms, ...row }: sql.ChangeRow): BookingChange {
  return { ...row, from: toBookedTerms(fromTerms), to: toBookedTerms(toTerms) };
}

/** Terms with dates in the place of the text that JSON has. */
export function toBookedTerms({ slot, ...terms }: sql.StoredTerms): BookedTerms {
  return {
    ...terms,
    slot: { startAt: new Date(slot.startAt), endAt: new Date(slot.endAt) },
  };
}
