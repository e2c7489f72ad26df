import { paymentEvents } from '#contracts/payment.ts';
import { type EventRecord, newEvent } from '#platform/messaging/events.ts';
import { withCorrelation } from '#platform/observability/correlation.ts';
import { type AuditEntry, newAuditEntry } from '#platform/operator/audit.ts';
import type { GoodwillRequest } from '../domain/goodwill.ts';
import type { Payment } from '../domain/payment.ts';
import type { RefundDecision } from '../domain/refund-decision.ts';
import type { PaymentEventType } from '../ports.ts';
import type { NewPayment } from './payment-statements.ts';

export function toAuditEntry(
  { state }: Payment,
  resolution: 'RETRY' | 'SETTLED_OUTSIDE',
  { operatorId, reason }: RefundDecision,
): AuditEntry {
  return newAuditEntry({
    userId: operatorId,
    actedAs: 'operator',
    action: 'resolveRefund',
    subjectType: 'booking',
    subjectId: state.bookingId,
    details: { resolution, reason },
  });
}

/** `outcome`: of an attempt that ended it; without one the operator requested the refund. */
export function toGoodwillAuditEntry(
  { operatorId, bookingId, amount, reason }: GoodwillRequest,
  outcome?: 'failed',
): AuditEntry {
  return newAuditEntry({
    userId: operatorId,
    actedAs: 'operator',
    action: 'refundPayment',
    subjectType: 'booking',
    subjectId: bookingId,
    details: { amount, reason, ...(outcome && { outcome }) },
  });
}

export function toNewPayment({ state }: Payment, leaseMs: number | null): NewPayment {
  const { id, bookingId, customerId, spaceId, slot, amount, currency } = state;
  const { paymentMethod, status, version, requestedAt, correlationId } = state;
  return {
    ...{ id, bookingId, customerId, spaceId, startAt: slot.startAt, endAt: slot.endAt },
    ...{ amount, currency, paymentMethod, status, version, requestedAt, correlationId, leaseMs },
  };
}

export function toEvent(type: PaymentEventType, { state }: Payment): EventRecord {
  return withCorrelation(state.correlationId, () =>
    newEvent(type, paymentEvents[type], {
      aggregateId: state.id,
      version: state.version,
      occurredAt: new Date(),
      payload: {
        paymentId: state.id,
        bookingId: state.bookingId,
        spaceId: state.spaceId,
        slot: state.slot,
        status: state.status,
        amount: state.amount,
        refunded: state.refunded,
        goodwill: state.goodwill,
        refundedForChanges: state.refundedForChanges,
        currency: state.currency,
      },
    }),
  );
}
