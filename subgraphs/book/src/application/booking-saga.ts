import { Booking } from '../domain/booking.ts';
import type { IllegalTransition } from '../domain/refusals.ts';
import type { BookPorts, PaymentOutcome } from '../ports.ts';

/*
 * The life of a booking after its request, in one place: what payment and space report, and what
 * happens when they report nothing. Every step may come late, twice or out of order.
 *
 *   REQUESTED ──approved──▶ PAID ──registered──▶ REGISTERED
 *      │  └─unknown─▶ PAYMENT_DEFERRED ─(asked again)─▶ PAID | DECLINED | EXPIRED
 *      └──declined──▶ DECLINED
 *   any live one ──cancelled or registration rejected──▶ CANCELLING ──both settled──▶ CANCELLED
 */

/** An event of another context that concerns a booking. */
export interface SagaEvent {
  id: string;
  bookingId: string;
}

export const paymentCancelled = (ports: BookPorts, event: SagaEvent): Promise<void> =>
  onEvent(ports, event, 'payment cancelled', [(booking) => booking.settlePayment()]);

/** Nothing is registered unpaid, so a registration that overtakes its approval implies it. */
export const registered = (ports: BookPorts, event: SagaEvent): Promise<void> =>
  onEvent(ports, event, 'use registered', [
    (booking) => (booking.awaitsPayment ? booking.approvePayment() : booking),
    (booking) => booking.confirm(),
  ]);

export const registrationRejected = (ports: BookPorts, event: SagaEvent): Promise<void> =>
  onEvent(ports, event, 'registration rejected', [(booking) => booking.rejectRegistration()]);

export const registrationCancelled = (ports: BookPorts, event: SagaEvent): Promise<void> =>
  onEvent(ports, event, 'registration cancelled', [(booking) => booking.settleRegistration()]);

/** One version of a booking to the next. */
export type Step = (booking: Booking) => Booking | IllegalTransition;

/**
 * Takes the steps that an event calls for, each a version of its own; the last one is saved
 * together with the event's id. A step that the present status does not admit changes nothing.
 */
async function onEvent(
  ports: BookPorts,
  event: SagaEvent,
  what: string,
  steps: readonly Step[],
): Promise<void> {
  const { bookings } = ports;
  for (;;) {
    const { booking, taken } = await bookings.findForEvent(event.bookingId, event.id);
    if (taken) return;
    if (!booking) throw new Error(`${what}: there is no booking ${event.bookingId}`);
    const outcome = await advance(ports, booking, steps, event.id);
    if (outcome === 'stale') continue;
    if (outcome === 'illegal') await bookings.take(event.id);
    ports.log(what, {
      bookingId: event.bookingId,
      status: outcome === 'illegal' ? booking.state.status : outcome.state.status,
      changed: outcome !== 'illegal',
    });
    return;
  }
}

/** Takes the steps one after another, each saved as a version; the last with the event's id. */
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

/** Asks payment to approve and takes the booking to what it says. Returns it as it then stands. */
export async function askPayment(ports: BookPorts, booking: Booking): Promise<Booking> {
  return settle(ports, booking, await ports.payments.approve(booking));
}

async function settle(
  ports: BookPorts,
  booking: Booking,
  outcome: PaymentOutcome,
): Promise<Booking> {
  const step = await stepFor(ports, outcome);
  const settled = await advance(ports, booking, [step]);
  if (settled instanceof Booking) {
    const { id, status } = settled.state;
    ports.log('payment answered', { bookingId: id, outcome, status });
    return settled;
  }
  // Stale: a registration, a cancellation or the sweeper came first and knew as much.
  return (await ports.bookings.find(booking.state.id)) ?? booking;
}

async function stepFor(ports: BookPorts, outcome: PaymentOutcome): Promise<Step> {
  if (outcome === 'approved') return (current) => current.approvePayment();
  if (outcome === 'declined') return (current) => current.declinePayment();
  const now = await ports.bookings.now();
  return (current) => current.deferPayment(now);
}

/** How often {@link sweepUnpaid} is to be called. */
export const SWEEP_MS = 500;
const SWEEP_CONCURRENCY = 8;

/**
 * Moves on bookings whose payment is unknown and due: asks payment again with the same key, or,
 * once the hold has expired, asks what became of it and gives the slot free. No more of them than
 * payment is to bear; while its circuit is open, none but those that have expired.
 */
export async function sweepUnpaid(ports: BookPorts): Promise<void> {
  const { payments, bookings } = ports;
  const most = Math.ceil((ports.deferredPerSecond * SWEEP_MS) / 1_000);
  const circuit = payments.circuit();
  const due = await bookings.claimUnpaid(
    circuit === 'half-open' ? 1 : most,
    circuit === 'open' ? 'expired' : 'all',
  );
  const waiting = [...due];
  const sweepers = Array.from({ length: SWEEP_CONCURRENCY }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { booking, now } = next;
      await ports.resume(booking, () => moveOn(ports, booking, now));
    }
  });
  await Promise.all(sweepers);
}

/** `now` is when the booking was claimed, by the database's clock. */
async function moveOn(ports: BookPorts, booking: Booking, now: Date): Promise<void> {
  if (now < booking.state.holdExpiresAt) {
    await askPayment(ports, booking);
    return;
  }
  const truth = await ports.payments.outcomeOf(booking);
  if (truth !== 'unknown') {
    await settle(ports, booking, truth);
    return;
  }
  // A payment that still comes finds the booking released and is refunded.
  const expired = await advance(ports, booking, [(current) => current.expire(now)]);
  if (expired instanceof Booking) ports.log('hold expired', { bookingId: booking.state.id });
}
