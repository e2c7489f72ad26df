import { Payment, type PaymentRequest } from '../domain/payment.ts';
import { type PaymentPorts, type Refund, RefundRefused } from '../ports.ts';
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
 * charged. The obligation is written down first; settling it is tried until it succeeds or the
 * provider has refused too often. A slow provider does not hold up the events behind this one.
 */
export async function cancelPayment(ports: PaymentPorts, booking: GivenUpBooking): Promise<void> {
  const tombstone = Payment.tombstone(booking.request, {
    id: ports.newId(),
    now: ports.clock(),
    correlationId: ports.correlationId(),
  });
  const isMine = await ports.payments.giveUp(tombstone, booking.refund, booking.eventId);
  if (isMine) await ports.background.within(attemptRefund(ports, booking.request.bookingId));
}

/**
 * Settles a refund that is leased to the caller. A failure is logged, and counted when the provider
 * refused; the refund is due again later, or failed for good.
 */
export async function attemptRefund(ports: PaymentPorts, bookingId: string): Promise<void> {
  let refund: Refund | null = null;
  try {
    refund = await refundOf(ports, bookingId);
    await settleRefund(ports, bookingId);
  } catch (error) {
    await noteFailure(ports, bookingId, refund, error).catch((cause: Error) =>
      // The lease runs out, and the sweeper goes on.
      ports.log.warn('the failure of a refund was not recorded', {
        bookingId,
        reason: cause.message,
      }),
    );
  }
}

/** Moves a given-up payment to its end: voided, declined, or refunded once. Safe to repeat. */
export async function settleRefund(ports: PaymentPorts, bookingId: string): Promise<void> {
  const { payments, provider } = ports;
  let isGivenBack = false;
  for (;;) {
    const payment = await payments.findByBooking(bookingId);
    const refund = payment && (await payments.refundOf(payment.state.id));
    if (!payment || !refund) return;
    if (refund.settled) {
      if (isGivenBack && refund.settledOutside) {
        ports.log.error('refunded by the provider and outside of it', { bookingId });
      }
      return;
    }

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
      case 'REFUND_FAILED': {
        // Without an operator's retry a failed refund is not asked for again.
        if (payment.state.status === 'REFUND_FAILED' && !refund.isDue && !isGivenBack) return;
        if (refund.amount > 0 && !isGivenBack) {
          await provider.refund(bookingId, refund.id, refund.amount);
          isGivenBack = true;
        }
        await close(ports, payment, payment.refund(refund.amount));
        break;
      }
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
  ports.log.info('payment cancelled', { bookingId, status, refunded });
}

/**
 * Only refusals by the provider count: an outage of any length delays refunds, and does not leave
 * them to operators.
 */
async function noteFailure(
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
  const failed = payment.failRefund();
  if (!(failed instanceof Payment)) return;
  const saved = await ports.payments.save(payment, failed, 'PaymentRefundFailed', {
    failsRefund: true,
  });
  if (saved === 'saved') {
    ports.log.error('refund failed: an operator must resolve it', { bookingId, refusals, reason });
  }
}

async function refundOf(ports: PaymentPorts, bookingId: string): Promise<Refund | null> {
  const payment = await ports.payments.findByBooking(bookingId);
  return payment && ports.payments.refundOf(payment.state.id);
}
