import type { PaymentPorts } from '../ports.ts';
import { attemptRefund } from './cancel-payment.ts';
import { attemptChangeRefund } from './refund-change.ts';
import { attemptGoodwillRefund } from './refund-payment.ts';

/** Concurrent attempts; each refund is leased just before its own attempt. */
const CONCURRENCY = 8;
/** Ends a run in time for a shutdown; the next run continues. */
const MAX_REFUNDS_PER_WORKER = 25;

/**
 * Attempts the refunds of cancellations that are due, several at a time. A lease covers one attempt, however long the
 * attempts before it took. Returns the number of attempts.
 */
export function retryDueRefunds(ports: PaymentPorts): Promise<number> {
  return attemptDue(ports.payments.claimDueRefunds, async (bookingId) => {
    const payment = await ports.payments.findByBooking(bookingId);
    if (payment) await ports.resume(payment, () => attemptRefund(ports, bookingId));
  });
}

/** As {@link retryDueRefunds}, for goodwill refunds. */
export function retryDueGoodwillRefunds(ports: PaymentPorts): Promise<number> {
  return attemptDue(ports.goodwill.claimDue, async (id) => {
    const refund = await ports.goodwill.find(id);
    const payment = refund && (await ports.payments.findByBooking(refund.bookingId));
    if (payment) await ports.resume(payment, () => attemptGoodwillRefund(ports, id));
  });
}

/** As {@link retryDueRefunds}, for released charges of changes, and refunds of changes. */
export function retryDueChanges(ports: PaymentPorts): Promise<number> {
  return attemptDue(ports.changes.claimDue, async (id) => {
    const change = await ports.changes.find(id);
    const payment = change && (await ports.payments.findByBooking(change.bookingId));
    if (payment) await ports.resume(payment, () => attemptChangeRefund(ports, id));
  });
}

/** `claim` leases up to a number of refunds and returns their ids. */
async function attemptDue(
  claim: (limit: number) => Promise<string[]>,
  attempt: (id: string) => Promise<void>,
): Promise<number> {
  let attempts = 0;
  const first = await claim(CONCURRENCY);
  await Promise.all(
    first.map(async (leased) => {
      let id: string | undefined = leased;
      for (let count = 1; id !== undefined; count += 1) {
        attempts += 1;
        await attempt(id);
        [id] = count < MAX_REFUNDS_PER_WORKER ? await claim(1) : [];
      }
    }),
  );
  return attempts;
}
