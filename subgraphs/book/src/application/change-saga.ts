import { Booking } from '../domain/booking.ts';
import { applyChange, type BookingChange } from '../domain/booking-change.ts';
import type { BookPorts, PaymentOutcome } from '../ports.ts';
import type { SagaEvent } from './booking-saga.ts';

/*
 * What happens to a change after its request: the charge of the difference, then the change itself, then
 * the move of the registration. Until the change is applied, the booking is as it was.
 */

/** Requests the difference, and applies or ends the change. Returns both as they then are. */
export async function payAndApply(
  ports: BookPorts,
  change: BookingChange,
): Promise<ChangedBooking> {
  const outcome = change.difference === 0 ? 'approved' : await ports.payments.chargeChange(change);
  return applyOutcome(ports, change, outcome);
}

/** A booking, and the change as it has become. */
export interface ChangedBooking {
  booking: Booking;
  change: BookingChange;
}

async function applyOutcome(
  ports: BookPorts,
  change: BookingChange,
  outcome: PaymentOutcome,
): Promise<ChangedBooking> {
  if (outcome === 'approved') await apply(ports, change);
  else if (outcome === 'declined') await end(ports, change, 'DECLINED');
  else await ports.changes.postpone(change);
  const changed = await findChanged(ports, change);
  const { id: changeId, state } = changed.change;
  ports.log('change of a booking', { bookingId: change.bookingId, changeId, outcome, state });
  return changed;
}

/** The booking and the change as they are now. */
export async function findChanged(
  ports: BookPorts,
  { id, bookingId }: BookingChange,
): Promise<ChangedBooking> {
  // In this order the booking is at least as new as the change.
  const change = await ports.changes.find(id);
  const booking = await ports.bookings.find(bookingId);
  if (!booking || !change) throw new Error(`the change ${id} or its booking is gone`);
  return { booking, change };
}

/**
 * Applies the change unless it has ended, such as by a cancellation: then its charge is refunded. Nobody gets
 * another slot once the use of one of them has begun.
 */
async function apply(ports: BookPorts, change: BookingChange): Promise<void> {
  const startsAt = Math.min(...[change.from, change.to].map(({ slot }) => slot.startAt.getTime()));
  for (;;) {
    const booking = await ports.bookings.find(change.bookingId);
    if (!booking || !isPending(booking, change)) return;
    if ((await ports.bookings.now()).getTime() >= startsAt) return end(ports, change, 'EXPIRED');
    const changed = applyChange(booking, change);
    // The previous release cancels a booking without ending its change.
    if (!(changed instanceof Booking)) return end(ports, change, 'EXPIRED');
    if ((await ports.changes.apply(booking, changed, change)) === 'saved') return;
  }
}

async function end(
  ports: BookPorts,
  change: BookingChange,
  state: 'DECLINED' | 'EXPIRED',
): Promise<void> {
  for (;;) {
    const booking = await ports.bookings.find(change.bookingId);
    if (!booking || !isPending(booking, change)) return;
    if ((await ports.changes.end(booking, change, state)) === 'saved') return;
  }
}

const isPending = ({ state: { openChange } }: Booking, { id }: BookingChange): boolean =>
  openChange?.id === id && openChange.appliedIn === null;

/** The registration has moved to the slot that the booking had in its version `bookingVersion`. */
export async function registrationMoved(
  ports: BookPorts,
  event: SagaEvent,
  bookingVersion: number,
): Promise<void> {
  const { bookings, changes } = ports;
  for (;;) {
    const { booking, isProcessed } = await bookings.findForEvent(event.bookingId, event.id);
    if (isProcessed) return;
    if (!booking) throw new Error(`registration moved: there is no booking ${event.bookingId}`);
    const { openChange } = booking.state;
    const appliedIn = openChange?.appliedIn ?? null;
    if (appliedIn === null || bookingVersion < appliedIn) return bookings.recordEvent(event.id);
    if ((await changes.finish(booking, event.id)) === 'stale') continue;
    ports.log('change finished', { bookingId: event.bookingId, changeId: openChange?.id });
    return;
  }
}

/** The period of {@link retryDueChanges}. */
export const CHANGE_PERIOD_MS = 500;
const BATCH_SIZE = 8;

/**
 * Retries pending changes that are due: requests the payment again with the same key or, once the change
 * has expired, queries its outcome and releases the new slot.
 */
export async function retryDueChanges(ports: BookPorts): Promise<void> {
  const circuit = ports.payments.circuit();
  const due = await ports.changes.claimDue(
    circuit === 'half-open' ? 1 : BATCH_SIZE,
    circuit === 'open' ? 'expired' : 'all',
  );
  await Promise.all(
    due.map(async ({ change, now }) => {
      const booking = await ports.bookings.find(change.bookingId);
      if (booking) await ports.resume(booking, () => retryOrExpire(ports, change, now));
    }),
  );
}

/** `now` is when the change was claimed, by the database's clock. */
async function retryOrExpire(ports: BookPorts, change: BookingChange, now: Date): Promise<void> {
  if (now < change.expiresAt) {
    await payAndApply(ports, change);
    return;
  }
  // Without a difference there is nothing to find out, and nobody has had a response.
  const outcome =
    change.difference === 0 ? 'unknown' : await ports.payments.findChangeOutcome(change);
  if (outcome !== 'unknown') {
    await applyOutcome(ports, change, outcome);
    return;
  }
  // A charge that is made later is refunded: payment gets to know that the change is released.
  await end(ports, change, 'EXPIRED');
  ports.log('change expired', { bookingId: change.bookingId, changeId: change.id });
}
