import { type PayableBooking, Payment } from '../domain/payment.ts';
import { type PaymentPorts, type Refund, RefundRefused } from '../ports.ts';
import { recordCharge } from './approve-payment.ts';

/** A booking that was cancelled or has expired. */
export interface EndedBooking {
  /** The event by which book published it. */
  eventId: string;
  booking: PayableBooking;
  /** The part of the charge that is refunded, in minor units. */
  refund: number;
}

/**
 * Cancels a payment: refunds the charge as quoted, or prevents any charge. The obligation is stored
 * first; the refund is retried until it succeeds or the provider has refused too often. A slow provider
 * does not delay the events behind this one.
 */
export async function cancelPayment(ports: PaymentPorts, ended: EndedBooking): Promise<void> {
  const { booking, refund, eventId } = ended;
  const tombstone = Payment.tombstone(booking, {
    id: ports.newId(),
    now: ports.clock(),
    correlationId: ports.correlationId(),
  });
  const isLeased = await ports.payments.recordRefundObligation(tombstone, refund, eventId);
  if (isLeased) await ports.background.within(attemptRefund(ports, booking.bookingId));
}

/**
 * Attempts a refund that is leased to this process. A failure is logged, and counted when the provider
 * refused; the refund is due again later, or left to operators.
 */
export async function attemptRefund(ports: PaymentPorts, bookingId: string): Promise<void> {
  let refund: Refund | null = null;
  try {
    refund = await findRefund(ports, bookingId);
    await completeRefund(ports, bookingId);
  } catch (error) {
    await recordFailure(ports, bookingId, refund, error).catch((cause: Error) =>
      // The lease runs out, and the refund is retried.
      ports.log.warn('the failure of a refund was not recorded', {
        bookingId,
        reason: cause.message,
      }),
    );
  }
}

/**
 * Brings the payment of an ended booking to its end: voided, declined, or refunded once, beside what goodwill
 * refunds and changes gave back. Idempotent.
 */
export async function completeRefund(ports: PaymentPorts, bookingId: string): Promise<void> {
  const { payments, provider } = ports;
  let isRefunded = false;
  for (;;) {
    const payment = await payments.findByBooking(bookingId);
    const refund = payment && (await payments.findRefund(payment.state.id));
    if (!payment || !refund) return;
    if (refund.completed) {
      if (isRefunded && refund.completedOutside) {
        ports.log.error('refunded by the provider and outside of it', { bookingId });
      }
      return;
    }

    switch (payment.state.status) {
      case 'PENDING': {
        // A charge may still be on its way: only the provider can prevent it.
        if ((await provider.void(bookingId)) === 'approved') {
          await recordCharge(ports, payment, { outcome: 'approved' });
          break;
        }
        await close(ports, payment, payment.void());
        break;
      }
      case 'APPROVED':
      case 'REFUND_FAILED':
      case 'REFUNDED':
      case 'PARTIALLY_REFUNDED': {
        // Goodwill refunds and changes may have given back a part, or all; a refund of the cancellation may not.
        if (!payment.awaitsRefund) {
          throw new Error(
            `payment ${payment.state.id} is at its end, yet its refund is not completed`,
          );
        }
        // Not due: it waits for an operator's retry, or for a goodwill refund that is under way.
        if (!refund.isDue && !isRefunded) return;
        if (refund.amount > 0 && !isRefunded) {
          await provider.refund(bookingId, refund.id, refund.amount);
          isRefunded = true;
        }
        // After the payment: a refund that fails later makes this version stale.
        const isAnotherFailed = await payments.isAnotherRefundFailed(payment.state.id, refund.id);
        await close(ports, payment, payment.refund(refund.amount, isAnotherFailed));
        break;
      }
      case 'DECLINED':
        await close(ports, payment, payment.close());
        break;
      case 'VOIDED':
        throw new Error(
          `payment ${payment.state.id} is at its end, yet its refund is not completed`,
        );
    }
  }
}

/** Is the payment finished: nothing more is charged or refunded for the booking? */
export async function isClosed(ports: PaymentPorts, payment: Payment): Promise<boolean> {
  if (payment.state.status === 'VOIDED') return true;
  return (await ports.payments.findRefund(payment.state.id))?.completed ?? false;
}

async function close(
  ports: PaymentPorts,
  payment: Payment,
  next: ReturnType<Payment['void']>,
): Promise<void> {
  if (!(next instanceof Payment)) return;
  const saved = await ports.payments.save(payment, next, 'PaymentCancelled', {
    completesRefund: true,
  });
  if (saved === 'stale') return;
  const { bookingId, status, refunded } = next.state;
  ports.log.info('payment cancelled', { bookingId, status, refunded });
}

/**
 * Postpones the refund, or leaves it to operators after too many refusals. Only refusals by the provider
 * count: an outage of any length delays refunds.
 */
async function recordFailure(
  ports: PaymentPorts,
  bookingId: string,
  refund: Refund | null,
  error: unknown,
): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error);
  if (!(refund && error instanceof RefundRefused)) {
    ports.log.warn('refund postponed', { bookingId, reason });
    if (refund) await ports.payments.postponeRefund(refund);
    return;
  }
  const refusals = await ports.payments.refuseRefund(refund);
  ports.log.warn('refund refused by the provider', { bookingId, refusals, reason });
  const payment = await ports.payments.findByBooking(bookingId);
  if (!payment || refusals < ports.maxRefundAttempts) return;
  const stored = await ports.payments.findRefund(payment.state.id);
  // The payment may be REFUND_FAILED because of a change.
  if (!stored || stored.completed || stored.hasFailed) return;
  const failed = payment.failRefund();
  if (!(failed instanceof Payment)) return;
  const saved = await ports.payments.save(payment, failed, 'PaymentRefundFailed', {
    failsRefund: true,
  });
  if (saved === 'saved') {
    ports.log.error('refund failed: an operator must resolve it', { bookingId, refusals, reason });
  }
}

async function findRefund(ports: PaymentPorts, bookingId: string): Promise<Refund | null> {
  const payment = await ports.payments.findByBooking(bookingId);
  return payment && ports.payments.findRefund(payment.state.id);
}
