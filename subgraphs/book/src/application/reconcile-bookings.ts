import { MAX_BOOKING_IDS } from '#contracts/reconciliation.ts';
import { Booking } from '../domain/booking.ts';
import {
  type BookingRecord,
  type BookingRecords,
  findViolations,
  type Violation,
} from '../domain/consistency.ts';
import { finalStatuses } from '../domain/lifecycle.ts';
import { type LostBooking, toLostBooking } from '../domain/lost-booking.ts';
import type { BookingNotReconcilable } from '../domain/refusals.ts';
import type { ActingPrincipal, BookPorts } from '../ports.ts';
import type { ContextRecords } from './reconcile.ts';

/*
 * After book's database was restored to an earlier time, the other contexts have bookings that it does not
 * have, and cancellations of bookings that it has. The customers' money decides: what book cannot continue is
 * cancelled, and the whole charge is refunded.
 */

/** What an operator can let book do: null where the operator must decide. */
export type Remedy = 'CANCEL_LOST' | 'CANCEL_AS_REFUNDED';

/** A booking of which the contexts store different things. */
export interface Contradiction {
  bookingId: string;
  detail: string;
  remedy: Remedy | null;
}

export interface ContradictionPage {
  contradictions: Contradiction[];
  /** The id after which the next page begins; null: there is none. */
  next: string | null;
}

/** A lost booking as it is written again, with the event of its cancellation and the audit entry. */
export interface LostBookings {
  /** `exists`: book has the booking after all. */
  insert(booking: Booking, by: ActingPrincipal, reason: string): Promise<'inserted' | 'exists'>;
}

export interface ReconcileBookingsPorts {
  bookings: BookPorts['bookings'];
  catalogue: BookPorts['catalogue'];
  lost: LostBookings;
  records: ContextRecords & {
    /** Bookings after an id of which payment, space or mypage has a record; `next` as in the page. */
    idsAfter(after: string): Promise<{ ids: string[]; next: string | null }>;
  };
  store: {
    bookings(ids: readonly string[]): Promise<BookingRecord[]>;
    openViolations(): Promise<string[]>;
  };
  clock: () => Date;
  correlationId: () => string;
  log: BookPorts['log'];
}

/**
 * The bookings with ids after `after` that book has lost, and on the first page (`isFirst`) those that the
 * reconciliation has found to contradict.
 */
export async function findContradictions(
  ports: ReconcileBookingsPorts,
  after: string,
  isFirst: boolean,
): Promise<ContradictionPage> {
  const { ids, next } = await ports.records.idsAfter(after);
  const known = new Set((await ports.store.bookings(ids)).map(({ id }) => id));
  const suspects = ids.filter((id) => !known.has(id));
  if (isFirst) suspects.push(...(await ports.store.openViolations()));
  const records = await readRecords(ports, [...new Set(suspects)]);
  const contradictions = records.flatMap((each) => {
    const violations = findViolations(each);
    if (violations.length === 0) return [];
    return { bookingId: each.bookingId, detail: describe(violations), remedy: findRemedy(each) };
  });
  return { contradictions, next };
}

/** Lets the booking end as the other contexts' records require; refuses where they do not say how. */
export async function reconcileBooking(
  ports: ReconcileBookingsPorts,
  bookingId: string,
  by: ActingPrincipal,
  reason: string,
): Promise<Booking | BookingNotReconcilable> {
  for (;;) {
    const [records] = await readRecords(ports, [bookingId]);
    const remedy = records && findRemedy(records);
    if (!records || !remedy) {
      return refuse('The records of the booking do not say how it ends, or do not contradict.');
    }
    const booking =
      remedy === 'CANCEL_LOST'
        ? await cancelLost(ports, records, by, reason)
        : await cancelAsRefunded(ports, records, by);
    if (booking === 'stale') continue;
    if (booking instanceof Booking) ports.log('booking reconciled', { bookingId, remedy });
    return booking;
  }
}

async function cancelLost(
  ports: ReconcileBookingsPorts,
  records: BookingRecords,
  by: ActingPrincipal,
  reason: string,
): Promise<Booking | BookingNotReconcilable | 'stale'> {
  const known = records.payment?.booking ?? records.view?.booking;
  if (!known) return refuse('Neither payment nor mypage knows whose booking it is.');
  const space = await ports.catalogue.find(known.spaceId);
  if (!space) return refuse('The space of the booking is not in the catalogue yet.');
  const lost: LostBooking = { ...known, id: records.bookingId, refund: refundOf(records) };
  const booking = toLostBooking(lost, space, {
    now: ports.clock(),
    correlationId: ports.correlationId(),
  });
  return (await ports.lost.insert(booking, by, reason)) === 'exists' ? 'stale' : booking;
}

/** The refund that payment owes already, or else all that is left of the charges. */
function refundOf({ payment }: BookingRecords): number {
  return payment ? (payment.refundDue ?? payment.amount - payment.refunded) : 0;
}

async function cancelAsRefunded(
  ports: ReconcileBookingsPorts,
  { bookingId, payment }: BookingRecords,
  by: ActingPrincipal,
): Promise<Booking | BookingNotReconcilable | 'stale'> {
  const booking = await ports.bookings.find(bookingId);
  const cancelled = booking?.cancelAt(payment?.refundDue ?? 0);
  if (!booking || !(cancelled instanceof Booking)) return 'stale';
  const saved = await ports.bookings.saveAction(booking, cancelled, by, 'cancelBooking');
  return saved === 'stale' ? 'stale' : cancelled;
}

function findRemedy({ booking, payment, registration, view }: BookingRecords): Remedy | null {
  if (!booking) return payment || registration || view ? 'CANCEL_LOST' : null;
  const isOver = booking.status === 'CANCELLING' || finalStatuses.includes(booking.status);
  return !isOver && payment?.refundDue != null ? 'CANCEL_AS_REFUNDED' : null;
}

async function readRecords(
  { store, records }: ReconcileBookingsPorts,
  ids: readonly string[],
): Promise<BookingRecords[]> {
  const found: BookingRecords[] = [];
  for (let start = 0; start < ids.length; start += MAX_BOOKING_IDS) {
    const page = ids.slice(start, start + MAX_BOOKING_IDS);
    const [bookings, others] = await Promise.all([store.bookings(page), records.read(page)]);
    const byId = new Map(bookings.map((booking) => [booking.id, booking]));
    found.push(...others.map((each) => ({ ...each, booking: byId.get(each.bookingId) ?? null })));
  }
  return found;
}

const describe = (violations: readonly Violation[]): string =>
  violations.map(({ invariant, detail }) => `${invariant}: ${detail}`).join('; ');

const refuse = (message: string): BookingNotReconcilable => ({
  type: 'BookingNotReconcilable',
  message,
});
