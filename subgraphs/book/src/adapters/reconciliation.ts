import { setTimeout as wait } from 'node:timers/promises';
import { Counter } from 'prom-client';
import { repeat } from '#platform/lifecycle/lifecycle.ts';
import { databaseGauge } from '#platform/observability/database-gauges.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { Metrics } from '#platform/observability/metrics.ts';
import { type ContextRecords, reconcile } from '../application/reconcile.ts';
import { invariants } from '../domain/consistency.ts';
import type { PostgresReconciliationStore } from './postgres-reconciliation-store.ts';

/** Period in which this replica checks whether a source is due. */
const CHECK_PERIOD_MS = 1_000;
/** Longer than a request or an event on its way takes. */
const EVENT_DELAY_MS = 3_000;

/** Starts the reconciliation with its metrics; returns what stops it, after the page at hand. */
export function startReconciliation(deps: {
  store: PostgresReconciliationStore;
  records: ContextRecords;
  metrics: Metrics;
  logger: Logger;
}): () => Promise<void> {
  const { store, records, metrics, logger } = deps;
  const compared = new Counter({
    name: 'spacerent_reconciliation_compared_bookings_total',
    help: 'Bookings whose records in all contexts were compared. Per process.',
    registers: [metrics],
  });
  databaseGauge(
    metrics,
    {
      name: 'spacerent_invariant_violations',
      help: 'Bookings that break an invariant at present. Whole database.',
      labelNames: ['invariant'],
    },
    async () => {
      const open = new Map(
        (await store.openByInvariant()).map((row) => [row.invariant, row.count]),
      );
      return invariants.map((invariant) => ({
        labels: { invariant },
        value: open.get(invariant) ?? 0,
      }));
    },
  );
  databaseGauge(
    metrics,
    {
      name: 'spacerent_reconciliation_age_seconds',
      help: 'Time since the bookings of a source of events were compared up to the present. Whole database.',
      labelNames: ['source'],
    },
    async () =>
      (await store.ages()).map(({ source, seconds }) => ({ labels: { source }, value: seconds })),
  );

  return repeat(logger, 'the reconciliation', CHECK_PERIOD_MS, () =>
    reconcile({
      store,
      records,
      waitForEvents: () => wait(EVENT_DELAY_MS),
      countCompared: (bookings) => compared.inc(bookings),
      report: ({ bookingId, invariant, detail }) =>
        logger.error({ bookingId, invariant, detail }, 'an invariant is violated'),
    }),
  );
}
