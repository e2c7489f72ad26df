import { Payment } from '../domain/payment.ts';
import { changeRefundKey } from '../domain/payment-change.ts';
import { type PaymentPorts, RefundRefused } from '../ports.ts';
import type { ChangeEvent, PaymentChange } from './change-store.ts';
import { findPayment, recordChangeCharge } from './charge-change.ts';

/**
 * A booking was changed. What it costs less is refunded: the obligation is stored first; the refund is retried
 * until it succeeds or the provider has refused too often. What it costs more was charged before.
 */
export async function refundChange(ports: PaymentPorts, event: ChangeEvent): Promise<void> {
  const { changeId, bookingId, difference } = event;
  if (difference >= 0) return ports.payments.markProcessed(event.eventId);
  const owed = await ports.changes.owe(event);
  if (owed === null) return;
  const isShort = owed < -difference;
  ports.log[isShort ? 'warn' : 'info'](
    isShort ? 'less is left of the charges than a change gives back' : 'refund of a change owed',
    { bookingId, changeId, difference, owed },
  );
  if (owed > 0) await ports.background.within(attemptChangeRefund(ports, changeId));
}

/** A change does not take place: its charge is prevented, or refunded in full as {@link refundChange} refunds. */
export async function releaseChange(ports: PaymentPorts, event: ChangeEvent): Promise<void> {
  const isLeased = await ports.changes.release(event);
  if (isLeased) await ports.background.within(attemptChangeRefund(ports, event.changeId));
}

/**
 * Attempts to prevent the charge of a change, or to refund it; the change is leased to this process. A failure is
 * logged, and counted when the provider refused; the attempt is due again later, or left to operators.
 */
export async function attemptChangeRefund(ports: PaymentPorts, id: string): Promise<void> {
  let change: PaymentChange | null = null;
  try {
    change = await ports.changes.find(id);
    if (change?.isDue && change.chargeStatus === 'PENDING') {
      change = await preventCharge(ports, change);
    }
    if (!change?.isDue || change.refundAmount === null) return;
    await ports.provider.refund(change.bookingId, changeRefundKey(id), change.refundAmount);
    await complete(ports, id, change.refundAmount);
  } catch (error) {
    await recordFailure(ports, id, change, error).catch((cause: Error) =>
      // The lease runs out, and the refund is retried.
      ports.log.warn('the failure of a change’s refund was not recorded', {
        ...{ changeId: id, reason: cause.message },
      }),
    );
  }
}

/** A charge may still be on its way: only the provider can prevent it. */
async function preventCharge(
  ports: PaymentPorts,
  change: PaymentChange,
): Promise<PaymentChange | null> {
  if ((await ports.provider.void(change.id)) === 'approved') {
    return recordChangeCharge(ports, change, { outcome: 'approved' });
  }
  await ports.changes.end(change.id, 'VOIDED');
  return ports.changes.find(change.id);
}

/** Records what the provider has refunded. */
async function complete(ports: PaymentPorts, id: string, amount: number): Promise<void> {
  for (;;) {
    const change = await ports.changes.find(id);
    if (!change) throw new Error(`change ${id} is gone`);
    const { bookingId } = change;
    if (change.completed) {
      if (change.completedOutside) {
        ports.log.error('refunded by the provider and outside of it', { bookingId, changeId: id });
      }
      return;
    }
    const payment = await findPayment(ports, change);
    // After the payment: a refund that fails later makes this version stale.
    const isAnotherFailed = await ports.payments.isAnotherRefundFailed(payment.state.id, id);
    const next = payment.refundChange(amount, isAnotherFailed);
    if (!(next instanceof Payment)) {
      throw new Error(`change ${id} was refunded, yet that is more than is left of the charges`);
    }
    if ((await ports.changes.complete(change, payment, next)) !== 'saved') continue;
    ports.log.info('refund of a change completed', { bookingId, changeId: id, amount });
    return;
  }
}

/** Postpones the refund, or leaves it to operators after too many refusals. An outage of any length delays it. */
async function recordFailure(
  ports: PaymentPorts,
  id: string,
  change: PaymentChange | null,
  error: unknown,
): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error);
  if (!(change && error instanceof RefundRefused)) {
    ports.log.warn('refund of a change postponed', { changeId: id, reason });
    if (change) await ports.changes.postpone(change);
    return;
  }
  const { bookingId } = change;
  const refusals = await ports.changes.refuse(change);
  ports.log.warn('refund of a change refused by the provider', { bookingId, refusals, reason });
  if (refusals < ports.maxRefundAttempts) return;
  if (await fail(ports, change)) {
    ports.log.error('refund of a change failed: an operator must resolve it', {
      ...{ bookingId, changeId: id, refusals, reason },
    });
  }
}

/** False when the refund has ended, or failed before. */
async function fail(ports: PaymentPorts, change: PaymentChange): Promise<boolean> {
  for (;;) {
    const payment = await findPayment(ports, change);
    const failed = payment.failRefund();
    if (!(failed instanceof Payment)) return false;
    const saved = await ports.changes.fail(change, payment, failed);
    if (saved !== 'stale') return saved === 'saved';
  }
}
