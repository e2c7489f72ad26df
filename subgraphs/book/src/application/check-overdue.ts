import { Booking } from '../domain/booking.ts';
import type { BookPorts } from '../ports.ts';
import { advance, type Step } from './booking-saga.ts';

/** The period of {@link checkOverdue}. */
export const CHECK_PERIOD_MS = 1_000;
/** Checked concurrently: the lease of 30 s is longer than the two inquiries of a check. */
const BATCH_SIZE = 8;

/**
 * Checks bookings that have been PAID or CANCELLING for too long: applies the steps that payment and
 * space report. Where a booking stays as it is, its last event is redelivered, in case a consumer never
 * processed it. Resolves with how many were checked.
 */
export async function checkOverdue(ports: BookPorts): Promise<number> {
  const due = await ports.overdue.claim(BATCH_SIZE);
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
  const steps = await findMissedSteps(ports, booking);
  const moved = await advance(ports, booking, steps);
  // Stale or illegal: an event was processed first.
  if (!(moved instanceof Booking)) return;
  const { id: bookingId, status } = moved.state;
  if (status !== booking.state.status) {
    ports.log('overdue booking moved on', { bookingId, status });
    return;
  }
  const redelivered = await ports.overdue.redeliverLastEvent(moved);
  ports.log('booking overdue', { bookingId, status, redelivered });
}

/** The steps that payment and space report and the booking has not made. */
async function findMissedSteps(ports: BookPorts, booking: Booking): Promise<Step[]> {
  const { inquiries } = ports;
  if (booking.state.status === 'PAID') {
    const registration = await inquiries.findRegistrationStatus(booking);
    if (registration === 'registered') return [(current) => current.confirm()];
    if (registration === 'rejected') return [(current) => current.rejectRegistration()];
    return [];
  }
  const { paymentCancelled, registrationCancelled } = booking.state;
  const steps: Step[] = [];
  // Independent of each other: a payment that does not respond must not keep the slot occupied.
  const [payment, registration] = await Promise.allSettled([
    paymentCancelled ? false : inquiries.isPaymentClosed(booking),
    registrationCancelled ? 'unknown' : inquiries.findRegistrationStatus(booking),
  ]);
  if (registration.status === 'fulfilled' && registration.value === 'cancelled') {
    steps.push((current) => current.completeRegistrationCancellation());
  }
  if (payment.status === 'fulfilled' && payment.value) {
    steps.push((current) => current.completePaymentCancellation());
  }
  const failed = [payment, registration].find((leg) => leg.status === 'rejected');
  if (failed && steps.length === 0) throw failed.reason;
  return steps;
}
