import { Payment, type PaymentRequest } from '../domain/payment.ts';
import type { PaymentPorts } from '../ports.ts';
import { recordCharge } from './approve-payment.ts';

/** A booking that was given up, as book tells of it. */
export interface GivenUpBooking {
  eventId: string;
  request: PaymentRequest;
  /** What is given back of whatever was charged, in minor units. */
  refund: number;
}

/**
 * Takes a payment back: refunds what was charged as quoted, or makes sure that nothing is ever
 * charged. The obligation is written down first; settling it is tried until it succeeds.
 */
export async function cancelPayment(ports: PaymentPorts, booking: GivenUpBooking): Promise<void> {
  const tombstone = Payment.tombstone(booking.request, {
    id: ports.newId(),
    now: ports.clock(),
    correlationId: ports.correlationId(),
  });
  await ports.payments.giveUp(tombstone, booking.refund, booking.eventId);
  try {
    await settleRefund(ports, booking.request.bookingId);
  } catch (error) {
    // Not the event's failure: the obligation stands, and the sweeper goes on with it.
    ports.log('refund postponed', {
      bookingId: booking.request.bookingId,
      reason: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Moves a given-up payment to its end: voided, declined, or refunded once. Safe to repeat. */
export async function settleRefund(ports: PaymentPorts, bookingId: string): Promise<void> {
  const { payments, provider } = ports;
  for (;;) {
    const payment = await payments.findByBooking(bookingId);
    const refund = payment && (await payments.refundOf(payment.state.id));
    if (!payment || !refund || refund.settled) return;

    switch (payment.state.status) {
      case 'PENDING': {
        // The money may be on its way: only the provider can say whether it still comes.
        if ((await provider.void(bookingId)) === 'approved') {
          await recordCharge(ports, payment, { outcome: 'approved' });
          break;
        }
        await close(ports, payment, payment.void());
        break;
      }
      case 'APPROVED':
        if (refund.amount > 0) await provider.refund(bookingId, refund.amount);
        await close(ports, payment, payment.refund(refund.amount));
        break;
      case 'DECLINED':
        await close(ports, payment, payment.close());
        break;
      case 'VOIDED':
      case 'REFUNDED':
      case 'PARTIALLY_REFUNDED':
        throw new Error(`payment ${payment.state.id} is at its end, yet its refund is not settled`);
    }
  }
}

/** Is the refund leg finished: nothing more is charged or refunded for the booking? */
export async function isClosed(ports: PaymentPorts, payment: Payment): Promise<boolean> {
  if (payment.state.status === 'VOIDED') return true;
  return (await ports.payments.refundOf(payment.state.id))?.settled ?? false;
}

async function close(
  ports: PaymentPorts,
  payment: Payment,
  next: ReturnType<Payment['void']>,
): Promise<void> {
  if (!(next instanceof Payment)) return;
  const saved = await ports.payments.save(payment, next, 'PaymentCancelled', {
    settlesRefund: true,
  });
  if (saved === 'stale') return;
  const { bookingId, status, refunded } = next.state;
  ports.log('payment cancelled', { bookingId, status, refunded });
}

const SWEEP_SIZE = 50;

/** Settles refund obligations that are due; each failure is tried again later. Returns how many. */
export async function sweepRefunds(ports: PaymentPorts): Promise<number> {
  const due = await ports.payments.claimDueRefunds(ports.clock(), SWEEP_SIZE);
  for (const bookingId of due) {
    const payment = await ports.payments.findByBooking(bookingId);
    if (!payment) continue;
    await ports.resume(payment, async () => {
      await settleRefund(ports, bookingId).catch((error: Error) =>
        ports.log('refund postponed', { bookingId, reason: error.message }),
      );
    });
  }
  return due.length;
}
