import type { PaymentPorts } from '../ports.ts';
import { attemptRefund } from './cancel-payment.ts';

/** How many refunds are settled at once; each is leased by itself, just before its own attempt. */
const LANES = 8;
/** Ends a sweep in time for a shutdown; the next one goes on. */
const MAX_REFUNDS_PER_LANE = 25;

/**
 * Settles refunds that are due, several at a time: a lease covers one attempt, however long those
 * before it took. Returns how many were tried.
 */
export async function sweepRefunds(ports: PaymentPorts): Promise<number> {
  let tried = 0;
  const attempt = async (bookingId: string) => {
    tried += 1;
    const payment = await ports.payments.findByBooking(bookingId);
    if (payment) await ports.resume(payment, () => attemptRefund(ports, bookingId));
  };
  const first = await ports.payments.claimDueRefunds(LANES);
  await Promise.all(
    first.map(async (bookingId) => {
      await attempt(bookingId);
      for (let turn = 1; turn < MAX_REFUNDS_PER_LANE; turn += 1) {
        const [next] = await ports.payments.claimDueRefunds(1);
        if (next === undefined) return;
        await attempt(next);
      }
    }),
  );
  return tried;
}
