import { Booking } from '../domain/booking.ts';
import type { IllegalTransition } from '../domain/refusals.ts';
import type { BookPorts, PaymentOutcome } from '../ports.ts';

/*
 * What happens to a booking after its request: the events of payment and space, and the retries where
 * none comes. The lifecycle is a table in domain/lifecycle.ts. Every event may come late, twice or out
 * of order.
 */

/** An event of another context that concerns a booking. */
export interface SagaEvent {
  id: string;
  bookingId: string;
}

/** `refunded` as {@link Booking.completePaymentCancellation} takes it. */
export const paymentCancelled = (
  ports: BookPorts,
  event: SagaEvent,
  refunded?: number,
): Promise<void> =>
  processEvent(ports, event, 'payment cancelled', [
    (booking) => booking.completePaymentCancellation(refunded),
  ]);

/** An operator gave back part of the charge: `goodwill` is all of it so far. */
export const paymentRefunded = (
  ports: BookPorts,
  event: SagaEvent,
  goodwill: number,
): Promise<void> =>
  processEvent(ports, event, 'payment refunded', [(booking) => booking.recordGoodwill(goodwill)]);

/** Nothing is registered unpaid, so a registration that overtakes its approval implies it. */
export const registered = (ports: BookPorts, event: SagaEvent): Promise<void> =>
  processEvent(ports, event, 'use registered', [
    (booking) => (booking.awaitsPayment ? booking.approvePayment() : booking),
    (booking) => booking.confirm(),
  ]);

export const registrationRejected = (ports: BookPorts, event: SagaEvent): Promise<void> =>
  processEvent(ports, event, 'registration rejected', [(booking) => booking.rejectRegistration()]);

export const registrationCancelled = (ports: BookPorts, event: SagaEvent): Promise<void> =>
  processEvent(ports, event, 'registration cancelled', [
    (booking) => booking.completeRegistrationCancellation(),
  ]);

/** One version of a booking to the next. */
export type Step = (booking: Booking) => Booking | IllegalTransition;

/**
 * Applies the steps that an event requires, each a version of its own; the last one is saved
 * together with the event's id. A step that the lifecycle does not admit changes nothing.
 */
async function processEvent(
  ports: BookPorts,
  event: SagaEvent,
  what: string,
  steps: readonly Step[],
): Promise<void> {
  const { bookings } = ports;
  for (;;) {
    const { booking, isProcessed } = await bookings.findForEvent(event.bookingId, event.id);
    if (isProcessed) return;
    if (!booking) throw new Error(`${what}: there is no booking ${event.bookingId}`);
    const outcome = await advance(ports, booking, steps, event.id);
    if (outcome === 'stale') continue;
    // Nothing was saved, so nothing has recorded the event.
    if (outcome === 'illegal' || outcome === booking) await bookings.recordEvent(event.id);
    ports.log(what, {
      bookingId: event.bookingId,
      status: outcome === 'illegal' ? booking.state.status : outcome.state.status,
      changed: outcome !== 'illegal',
    });
    return;
  }
}

/** Applies the steps one after another, each saved as a version; the last with the event's id. */
export async function advance(
  ports: BookPorts,
  start: Booking,
  steps: readonly Step[],
  eventId?: string,
): Promise<Booking | 'stale' | 'illegal'> {
  let booking = start;
  for (const [index, step] of steps.entries()) {
    const next = step(booking);
    if (!(next instanceof Booking)) return 'illegal';
    if (next === booking) continue;
    const last = index === steps.length - 1;
    const saved = await ports.bookings.save(booking, next, last ? eventId : undefined);
    if (saved === 'stale') return 'stale';
    booking = next;
  }
  return booking;
}

/** Requests the payment and applies its outcome. Returns the booking as it then is. */
export async function requestPayment(ports: BookPorts, booking: Booking): Promise<Booking> {
  return applyOutcome(ports, booking, await ports.payments.approve(booking));
}

async function applyOutcome(
  ports: BookPorts,
  booking: Booking,
  outcome: PaymentOutcome,
): Promise<Booking> {
  const step = await toStep(ports, outcome);
  const moved = await advance(ports, booking, [step]);
  if (moved instanceof Booking) {
    const { id, status } = moved.state;
    ports.log('payment outcome', { bookingId: id, outcome, status });
    return moved;
  }
  // Stale: a registration, a cancellation or a retry came first and applied as much.
  return (await ports.bookings.find(booking.state.id)) ?? booking;
}

async function toStep(ports: BookPorts, outcome: PaymentOutcome): Promise<Step> {
  if (outcome === 'approved') return (current) => current.approvePayment();
  if (outcome === 'declined') return (current) => current.declinePayment();
  const now = await ports.bookings.now();
  return (current) => current.deferPayment(now);
}

/** The period of {@link retryDuePayments}. */
export const RETRY_PERIOD_MS = 500;
const MAX_CONCURRENT_RETRIES = 8;

/**
 * Retries payments whose outcome is unknown and which are due: requests the payment again with the
 * same key or, once the hold has expired, queries its outcome and releases the slot. Releases the slots
 * of bookings that their hosts have not decided in time. The rate is limited to spare payment; while its
 * circuit is open, only expired holds are processed.
 */
export async function retryDuePayments(ports: BookPorts): Promise<void> {
  const { payments, bookings } = ports;
  const limit = Math.ceil((ports.deferredPerSecond * RETRY_PERIOD_MS) / 1_000);
  const circuit = payments.circuit();
  const due = await bookings.claimExpiring(
    circuit === 'half-open' ? 1 : limit,
    circuit === 'open' ? 'expired' : 'all',
  );
  const waiting = [...due];
  const workers = Array.from({ length: MAX_CONCURRENT_RETRIES }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { booking, now } = next;
      await ports.resume(booking, () => retryOrExpire(ports, booking, now));
    }
  });
  await Promise.all(workers);
}

/** `now` is when the booking was claimed, by the database's clock. */
async function retryOrExpire(ports: BookPorts, booking: Booking, now: Date): Promise<void> {
  if (booking.awaitsApproval) {
    await expire(ports, booking, now);
    return;
  }
  if (now < booking.state.holdExpiresAt) {
    await requestPayment(ports, booking);
    return;
  }
  const outcome = await ports.payments.findOutcome(booking);
  if (outcome !== 'unknown') {
    await applyOutcome(ports, booking, outcome);
    return;
  }
  // A payment that is approved later finds the booking released, and is refunded.
  await expire(ports, booking, now);
}

async function expire(ports: BookPorts, booking: Booking, now: Date): Promise<void> {
  const expired = await advance(ports, booking, [(current) => current.expire(now)]);
  if (expired instanceof Booking) ports.log('hold expired', { bookingId: booking.state.id });
}
