import { Counter } from 'prom-client';
import { paymentStatus } from '#contracts/payment.ts';
import { currency as currencies } from '#contracts/values.ts';
import type { Metrics } from '#platform/observability/metrics.ts';
import type { Payment } from '../domain/payment.ts';
import { isCharged } from '../domain/payment-status.ts';
import type { PaymentPorts } from '../ports.ts';

type Stores = Pick<PaymentPorts, 'payments' | 'goodwill' | 'changes'>;

type RefundKind = 'cancellation' | 'change' | 'goodwill';
const REFUND_KINDS: readonly RefundKind[] = ['cancellation', 'change', 'goodwill'];

/**
 * Makes the function that adds counters to stores. They count what this process has committed: one that dies between
 * commit and count leaves it uncounted, so they show trends and are no accounts.
 */
export function paymentCounters(metrics: Metrics): <Ports extends Stores>(ports: Ports) => Ports {
  const count = openCounters(metrics);
  return (ports) => ({
    ...ports,
    payments: countingPayments(ports.payments, count),
    goodwill: countingGoodwill(ports.goodwill, count),
    changes: countingChanges(ports.changes, count),
  });
}

interface Count {
  /** A payment that is written for the first time. */
  first(payment: Payment): void;
  /** The next version of a payment; the difference is what was charged or refunded. */
  next(previous: Payment, next: Payment): void;
  refund(kind: RefundKind, outcome: 'completed' | 'failed', number?: number): void;
}

function openCounters(metrics: Metrics): Count {
  const registers = [metrics];
  const payments = new Counter({
    name: 'spacerent_payments_total',
    help: 'Payments that have entered a status. Per process.',
    labelNames: ['status'],
    registers,
  });
  const money = (name: string, help: string) =>
    new Counter({ name, help, labelNames: ['currency'], registers });
  const charged = money(
    'spacerent_charged_minor_units_total',
    'Money that was charged, in minor units of the currency. Per process.',
  );
  const refunded = money(
    'spacerent_refunded_minor_units_total',
    'Money that was refunded, in minor units of the currency. Per process.',
  );
  const refunds = new Counter({
    name: 'spacerent_refunds_total',
    help: 'Refunds that were completed, or failed and are left to operators, by their cause. Per process.',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  // A series that begins at 1 has no increase.
  for (const status of paymentStatus.options) payments.inc({ status }, 0);
  for (const currency of currencies.options) {
    charged.inc({ currency }, 0);
    refunded.inc({ currency }, 0);
  }
  for (const kind of REFUND_KINDS) {
    for (const outcome of ['completed', 'failed']) refunds.inc({ kind, outcome }, 0);
  }

  return {
    first: ({ state: { status } }) => payments.inc({ status }),
    next({ state: previous }, { state: next }) {
      const { status, currency } = next;
      if (status !== previous.status) payments.inc({ status });
      // Never negative: a counter would throw, and what is committed would look as if it had failed.
      charged.inc({ currency }, Math.max(0, chargedAmount(next) - chargedAmount(previous)));
      refunded.inc({ currency }, Math.max(0, next.refunded - previous.refunded));
    },
    refund: (kind, outcome, number = 1) => refunds.inc({ kind, outcome }, number),
  };
}

function chargedAmount({ status, amount }: Payment['state']): number {
  return isCharged(status) ? amount : 0;
}

/** Calls `count` where the write took place, and resolves with its result. */
async function counting<Result>(write: Promise<Result | 'saved'>, count: () => void) {
  const result = await write;
  if (result === 'saved') count();
  return result;
}

function isRefunded(previous: Payment, next: Payment): boolean {
  return next.state.refunded > previous.state.refunded;
}

function countingPayments(payments: Stores['payments'], count: Count): Stores['payments'] {
  return {
    ...payments,
    async create(payment) {
      const created = await payments.create(payment);
      if (created.isNew) count.first(created.payment);
      return created;
    },
    save: (previous, next, eventType, options = {}) =>
      counting(payments.save(previous, next, eventType, options), () => {
        count.next(previous, next);
        if (options.failsRefund) count.refund('cancellation', 'failed');
        if (options.completesRefund && isRefunded(previous, next))
          count.refund('cancellation', 'completed');
      }),
    resolveOutside: (previous, next, decision) =>
      counting(payments.resolveOutside(previous, next, decision), () => {
        count.next(previous, next);
        count.refund('cancellation', 'completed');
      }),
  };
}

function countingGoodwill(goodwill: Stores['goodwill'], count: Count): Stores['goodwill'] {
  return {
    ...goodwill,
    complete: (refund, previous, next) =>
      counting(goodwill.complete(refund, previous, next), () => {
        count.next(previous, next);
        count.refund('goodwill', 'completed');
      }),
    async fail(refund) {
      const hasFailed = await goodwill.fail(refund);
      if (hasFailed) count.refund('goodwill', 'failed');
      return hasFailed;
    },
  };
}

function countingChanges(changes: Stores['changes'], count: Count): Stores['changes'] {
  return {
    ...changes,
    approve: (change, previous, next) =>
      counting(changes.approve(change, previous, next), () => count.next(previous, next)),
    complete: (change, previous, next) =>
      counting(changes.complete(change, previous, next), () => {
        count.next(previous, next);
        if (isRefunded(previous, next)) count.refund('change', 'completed');
      }),
    fail: (change, previous, next) =>
      counting(changes.fail(change, previous, next), () => {
        count.next(previous, next);
        count.refund('change', 'failed');
      }),
    resolveOutside: (failed, previous, next, decision) =>
      counting(changes.resolveOutside(failed, previous, next, decision), () => {
        count.next(previous, next);
        count.refund('change', 'completed', failed.length);
      }),
  };
}
