import { Booking } from '../domain/booking.ts';
import type { BookPorts } from '../ports.ts';
import { advance, type Step } from './booking-saga.ts';

/** How often {@link checkOverdue} is to be called, in milliseconds. */
export const CHECK_MS = 1_000;
/** All at once: the lease of 30 s outlasts the two inquiries of a check. */
const CHECK_SIZE = 8;

/**
 * Moves on bookings that have been PAID or CANCELLING for too long: applies what payment and space
 * say became of them. What stays open has the booking's last event redelivered, in case a consumer
 * never processed it. Resolves with how many were checked.
 */
export async function checkOverdue(ports: BookPorts): Promise<number> {
  const due = await ports.overdue.claim(CHECK_SIZE);
  await Promise.all(
    due.map((booking) =>
      ports.resume(booking, async () => {
        const checked = await check(ports, booking).catch((error: Error) => error);
        if (checked instanceof Error) {
          // The next check is due already: the claim has set it.
          const { id: bookingId, status } = booking.state;
          ports.log('booking not checked', { bookingId, status, reason: checked.message });
        }
      }),
    ),
  );
  return due.length;
}

async function check(ports: BookPorts, booking: Booking): Promise<void> {
  const steps = await stepsFor(ports, booking);
  const moved = await advance(ports, booking, steps);
  // Stale or illegal: an event came first.
  if (!(moved instanceof Booking)) return;
  const { id: bookingId, status } = moved.state;
  if (status !== booking.state.status) {
    ports.log('overdue booking moved on', { bookingId, status });
    return;
  }
  const redelivered = await ports.overdue.redeliverLastEvent(moved);
  ports.log('booking overdue', { bookingId, status, redelivered });
}

/** What payment and space know beyond what the booking shows. */
async function stepsFor(ports: BookPorts, booking: Booking): Promise<Step[]> {
  const { inquiries } = ports;
  if (booking.state.status === 'PAID') {
    const registration = await inquiries.registrationOf(booking);
    if (registration === 'registered') return [(current) => current.confirm()];
    if (registration === 'rejected') return [(current) => current.rejectRegistration()];
    return [];
  }
  const { paymentCancelled, registrationCancelled } = booking.state;
  const steps: Step[] = [];
  // Each leg for itself: a payment that does not respond must not keep the slot occupied.
  const [payment, registration] = await Promise.allSettled([
    paymentCancelled ? false : inquiries.isPaymentClosed(booking),
    registrationCancelled ? 'unknown' : inquiries.registrationOf(booking),
  ]);
  if (registration.status === 'fulfilled' && registration.value === 'cancelled') {
    steps.push((current) => current.settleRegistration());
  }
  if (payment.status === 'fulfilled' && payment.value) {
    steps.push((current) => current.settlePayment());
  }
  const failed = [payment, registration].find((leg) => leg.status === 'rejected');
  if (failed && steps.length === 0) throw failed.reason;
  return steps;
}
