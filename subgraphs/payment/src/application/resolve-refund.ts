import { paymentNotFound } from '../domain/goodwill.ts';
import { Payment } from '../domain/payment.ts';
import type { RefundDecision } from '../domain/refund-decision.ts';
import type { RefundRefusal } from '../domain/refusals.ts';
import type { PaymentPorts, Refund } from '../ports.ts';
import { attemptRefund } from './cancel-payment.ts';
import type { PaymentChange } from './change-store.ts';
import { attemptChangeRefund } from './refund-change.ts';

export type RefundResolution = 'RETRY' | 'SETTLED_OUTSIDE';

/**
 * An operator resolves the failed refunds of a booking, for its cancellation and its changes: they are sent to the
 * provider again now, or the customer got the money another way. The same resolution again changes nothing.
 * Returns the payment afterwards, which after a retry may still be REFUND_FAILED.
 */
export async function resolveRefund(
  ports: PaymentPorts,
  bookingId: string,
  resolution: RefundResolution,
  decision: RefundDecision,
): Promise<Payment | RefundRefusal> {
  for (;;) {
    const payment = await ports.payments.findByBooking(bookingId);
    // A voided payment was never charged.
    if (!payment || payment.state.status === 'VOIDED') return paymentNotFound;
    const resolved = await resolveAll(ports, payment, resolution, decision);
    if (resolved !== 'stale') return resolved;
  }
}

/** The cancellation's refund first, then those of the changes. */
async function resolveAll(
  ports: PaymentPorts,
  payment: Payment,
  resolution: RefundResolution,
  decision: RefundDecision,
): Promise<Payment | RefundRefusal | 'stale'> {
  const isRetry = resolution === 'RETRY';
  const refund = await ports.payments.findRefund(payment.state.id);
  const changes = await ports.changes.findFailed(payment.state.id);
  const hasOpenChanges = changes.some(({ completed }) => !completed);
  let latest = payment;
  if (refund?.hasFailed && !(refund.completed && hasOpenChanges)) {
    const resolved = await (isRetry ? retry : resolveOutside)(ports, payment, refund, decision);
    if (!(resolved instanceof Payment && hasOpenChanges)) return resolved;
    latest = resolved;
  }
  if (changes.length === 0) return invalid('The refund of this booking has not failed.');
  return isRetry
    ? retryChanges(ports, latest, changes, decision)
    : resolveChangesOutside(ports, latest, changes, decision);
}

async function retry(
  ports: PaymentPorts,
  payment: Payment,
  refund: Refund,
  decision: RefundDecision,
): Promise<Payment | RefundRefusal> {
  if (refund.completedOutside) return invalid('The customer got the money another way.');
  if (refund.completed) return payment;
  const { bookingId } = payment.state;
  if (await ports.payments.retryFailedRefund(payment, decision)) {
    ports.log.info('refund retried', { bookingId, by: decision.operatorId });
    await ports.background.within(attemptRefund(ports, bookingId));
  }
  return (await ports.payments.findByBooking(bookingId)) ?? payment;
}

async function resolveOutside(
  ports: PaymentPorts,
  payment: Payment,
  refund: Refund,
  decision: RefundDecision,
): Promise<Payment | RefundRefusal | 'stale'> {
  if (refund.completedOutside) return payment;
  if (refund.completed) return invalid('The provider has refunded the money meanwhile.');
  if (refund.isDue) {
    return invalid('The provider has been sent the refund again: its outcome is unknown.');
  }
  const isAnotherFailed = await ports.payments.isAnotherRefundFailed(payment.state.id, refund.id);
  const next = payment.refund(refund.amount, isAnotherFailed);
  if (!(next instanceof Payment)) return 'stale';
  if ((await ports.payments.resolveOutside(payment, next, decision)) === 'stale') return 'stale';
  const { bookingId, refunded } = next.state;
  ports.log.info('refund completed outside the provider', {
    bookingId,
    refunded,
    by: decision.operatorId,
  });
  return next;
}

async function retryChanges(
  ports: PaymentPorts,
  payment: Payment,
  changes: readonly PaymentChange[],
  decision: RefundDecision,
): Promise<Payment | RefundRefusal> {
  if (changes.every(({ completedOutside }) => completedOutside)) {
    return invalid('The customer got the money another way.');
  }
  const { bookingId } = payment.state;
  const leased = await ports.changes.retryFailed(payment, decision);
  if (leased.length > 0) {
    ports.log.info('refunds of changes retried', {
      ...{ bookingId, changeIds: leased, by: decision.operatorId },
    });
    const attempts = leased.map((id) => attemptChangeRefund(ports, id));
    await ports.background.within(Promise.all(attempts));
  }
  return (await ports.payments.findByBooking(bookingId)) ?? payment;
}

async function resolveChangesOutside(
  ports: PaymentPorts,
  payment: Payment,
  changes: readonly PaymentChange[],
  decision: RefundDecision,
): Promise<Payment | RefundRefusal | 'stale'> {
  const open = changes.filter(({ completed }) => !completed);
  if (open.length === 0) {
    if (changes.some(({ completedOutside }) => completedOutside)) return payment;
    return invalid('The provider has refunded the money meanwhile.');
  }
  if (open.some(({ isDue }) => isDue)) {
    return invalid('The provider has been sent the refund again: its outcome is unknown.');
  }
  const { id, bookingId } = payment.state;
  const amount = open.reduce((sum, { refundAmount }) => sum + Number(refundAmount), 0);
  const refund = await ports.payments.findRefund(id);
  const isAnotherFailed = refund?.hasFailed === true && !refund.completed;
  const next = payment.refundChange(amount, isAnotherFailed);
  if (!(next instanceof Payment)) return 'stale';
  if ((await ports.changes.resolveOutside(open, payment, next, decision)) !== 'saved') {
    return 'stale';
  }
  ports.log.info('refunds of changes completed outside the provider', {
    ...{ bookingId, amount, by: decision.operatorId },
  });
  return next;
}

const invalid = (message: string): RefundRefusal => ({ type: 'InvalidRefund', message });
