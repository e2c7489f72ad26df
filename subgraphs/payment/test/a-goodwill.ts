import { v7 as uuidv7 } from 'uuid';
import { approvePayment } from '../src/application/approve-payment.ts';
import { cancelPayment } from '../src/application/cancel-payment.ts';
import { refundPayment } from '../src/application/refund-payment.ts';
import {
  retryDueChanges,
  retryDueGoodwillRefunds,
  retryDueRefunds,
} from '../src/application/retry-due-refunds.ts';
import type { GoodwillRequest } from '../src/domain/goodwill.ts';
import { Payment, type PaymentRequest } from '../src/domain/payment.ts';
import { type PaymentPorts, type PaymentProvider, ProviderUnavailable } from '../src/ports.ts';
import { aRequest, MAX_REFUND_ATTEMPTS, type PaymentContext } from './payment-context.ts';

/** What an operator requests for a booking. */
export function aGoodwill(
  { bookingId }: PaymentRequest,
  amount: number,
  changes: Partial<GoodwillRequest> = {},
): GoodwillRequest {
  return {
    ...{ bookingId, amount, reason: 'the heating was off', idempotencyKey: uuidv7() },
    ...{ operatorId: 'olga', ...changes },
  };
}

/** Requests a goodwill refund; returns the payment's state afterwards, or the refusal. */
export async function giveBack(
  ports: PaymentPorts,
  request: PaymentRequest,
  amount: number,
  changes: Partial<GoodwillRequest> = {},
) {
  const result = await refundPayment(ports, aGoodwill(request, amount, changes));
  return result instanceof Payment ? result.state : result;
}

export const withProvider = (
  ports: PaymentPorts,
  changes: Partial<PaymentProvider>,
): PaymentPorts => ({ ...ports, provider: { ...ports.provider, ...changes } });

/** Attempts everything that is due, until the provider's refusals have ended what they can end. */
export async function finishRefunds(context: PaymentContext): Promise<void> {
  for (let round = 0; round <= 2 * MAX_REFUND_ATTEMPTS; round += 1) {
    await context.makeRefundsDue();
    await retryDueGoodwillRefunds(context.ports);
    await retryDueChanges(context.ports);
    await retryDueRefunds(context.ports);
  }
}

/** The goodwill refunds of a booking, oldest first. */
export const findGoodwill = (context: PaymentContext, { bookingId }: PaymentRequest) =>
  context.query<{ amount: number; state: string }>(
    `SELECT g.amount, CASE WHEN g.settled_at IS NOT NULL THEN 'completed'
                           WHEN g.failed_at IS NOT NULL THEN 'failed' ELSE 'due' END AS state
       FROM goodwill_refund g JOIN payment p ON p.id = g.payment_id
      WHERE p.booking_id = $1 ORDER BY g.id`,
    [bookingId],
  );

/** What tests do with the bookings of a context, and read of them. */
export function paidBookings(context: () => PaymentContext) {
  const ports = () => context().ports;
  return {
    async aPaid(changes: Partial<PaymentRequest> = {}): Promise<PaymentRequest> {
      const request = aRequest(changes);
      await approvePayment(ports(), request);
      return request;
    },
    cancel: (booking: PaymentRequest, refund: number, by = ports()) =>
      cancelPayment(by, { eventId: uuidv7(), booking, refund }),
    async findPayment({ bookingId }: PaymentRequest): Promise<Payment> {
      const payment = await ports().payments.findByBooking(bookingId);
      if (!payment) throw new Error('there is no payment');
      return payment;
    },
    findEvents: ({ bookingId }: PaymentRequest) =>
      context().query<{ type: string; status: string; refunded: number; goodwill: number }>(
        `SELECT type, payload->>'status' AS status, (payload->>'refunded')::int AS refunded,
                (payload->>'goodwill')::int AS goodwill
           FROM outbox WHERE payload->>'bookingId' = $1 ORDER BY version`,
        [bookingId],
      ),
    findAuditEntries: ({ bookingId }: PaymentRequest) =>
      context().query(
        `SELECT user_id, acted_as, action, subject_type, details FROM audit_entry
          WHERE subject_id = $1 ORDER BY id`,
        [bookingId],
      ),
    /** A provider that does not respond to refunds. */
    away: () =>
      withProvider(ports(), { refund: () => Promise.reject(new ProviderUnavailable('away')) }),
  };
}
