import { v7 as uuidv7 } from 'uuid';
import { refundPayment } from '../src/application/refund-payment.ts';
import { retryDueGoodwillRefunds, retryDueRefunds } from '../src/application/retry-due-refunds.ts';
import type { GoodwillRequest } from '../src/domain/goodwill.ts';
import { Payment, type PaymentRequest } from '../src/domain/payment.ts';
import type { PaymentPorts, PaymentProvider } from '../src/ports.ts';
import { MAX_REFUND_ATTEMPTS, type PaymentContext } from './payment-context.ts';

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
