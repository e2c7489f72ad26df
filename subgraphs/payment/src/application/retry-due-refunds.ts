import type { PaymentPorts } from '../ports.ts';
import { attemptRefund } from './cancel-payment.ts';

/** Concurrent attempts; each refund is leased just before its own attempt. */
const CONCURRENCY = 8;
/** Ends a run in time for a shutdown; the next run continues. */
const MAX_REFUNDS_PER_WORKER = 25;

/**
 * Attempts the refunds that are due, several at a time. A lease covers one attempt, however long the
 * attempts before it took. Returns the number of attempts.
 */
export async function retryDueRefunds(ports: PaymentPorts): Promise<number> {
  let attempts = 0;
  const attempt = async (bookingId: string) => {
    attempts += 1;
    const payment = await ports.payments.findByBooking(bookingId);
    if (payment) await ports.resume(payment, () => attemptRefund(ports, bookingId));
  };
  const first = await ports.payments.claimDueRefunds(CONCURRENCY);
  await Promise.all(
    first.map(async (bookingId) => {
      await attempt(bookingId);
      for (let count = 1; count < MAX_REFUNDS_PER_WORKER; count += 1) {
        const [next] = await ports.payments.claimDueRefunds(1);
        if (next === undefined) return;
        await attempt(next);
      }
    }),
  );
  return attempts;
}
