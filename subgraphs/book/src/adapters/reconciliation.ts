import { setTimeout as wait } from 'node:timers/promises';
import { Counter, Gauge } from 'prom-client';
import { repeat } from '#platform/lifecycle.ts';
import type { Logger } from '#platform/logger.ts';
import type { Metrics } from '#platform/metrics.ts';
import { type ContextRecords, reconcile } from '../application/reconcile.ts';
import { invariants } from '../domain/consistency.ts';
import type { PostgresReconciliationStore } from './postgres-reconciliation-store.ts';

/** How often this replica looks whether a source is due. */
const LOOK_MS = 1_000;
/** Longer than a request or an event on its way takes. */
const SETTLE_MS = 3_000;

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
    help: 'Bookings whose records in all contexts were compared',
    registers: [metrics],
  });
  new Gauge({
    name: 'spacerent_invariant_violations',
    help: 'Bookings that break an invariant at present',
    labelNames: ['invariant'],
    registers: [metrics],
    async collect() {
      const open = new Map(
        (await store.openByInvariant()).map((row) => [row.invariant, row.count]),
      );
      for (const invariant of invariants) this.set({ invariant }, open.get(invariant) ?? 0);
    },
  });
  new Gauge({
    name: 'spacerent_reconciliation_age_seconds',
    help: 'Time since the bookings of a source of events were compared up to the present',
    labelNames: ['source'],
    registers: [metrics],
    async collect() {
      for (const { source, seconds } of await store.ages()) this.set({ source }, seconds);
    },
  });

  return repeat(logger, 'the reconciliation', LOOK_MS, () =>
    reconcile({
      store,
      records,
      settle: () => wait(SETTLE_MS),
      compared: (bookings) => compared.inc(bookings),
      report: ({ bookingId, invariant, detail }) =>
        logger.error({ bookingId, invariant, detail }, 'an invariant is violated'),
    }),
  );
}
