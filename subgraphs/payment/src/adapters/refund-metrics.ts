import { Gauge } from 'prom-client';
import type { Metrics } from '#platform/metrics.ts';
import { type Pool, statement } from '#platform/postgres.ts';

// Unsettled refunds are few, and have an index of their own: nothing counts the settled ones.
const unsettled = statement<{ state: 'owed' | 'refused' | 'failed'; refunds: number; age: number }>(
  'refund-unsettled',
  `SELECT CASE WHEN failed_at IS NOT NULL THEN 'failed'
               WHEN refusals > 0 THEN 'refused' ELSE 'owed' END AS state,
          count(*)::int AS refunds,
          extract(epoch FROM now() - min(owed_at))::float AS age
     FROM refund WHERE settled_at IS NULL GROUP BY 1`,
);

/** How many refunds are not settled, by what hinders them, and how old the oldest is. */
export function refundMetrics(pool: Pool, metrics: Metrics): void {
  new Gauge({
    name: 'spacerent_refund_oldest_unsettled_seconds',
    help: 'Age of the oldest refund that is not settled',
    registers: [metrics],
    async collect() {
      const rows = await unsettled(pool);
      this.set(Math.max(0, ...rows.map(({ age }) => age)));
    },
  });
  new Gauge({
    name: 'spacerent_refunds_unsettled',
    help: 'Refunds that are not settled; refused: by the provider, and tried again; failed: for operators',
    labelNames: ['state'],
    registers: [metrics],
    async collect() {
      const rows = await unsettled(pool);
      for (const state of ['owed', 'refused', 'failed'] as const) {
        this.set({ state }, rows.find((row) => row.state === state)?.refunds ?? 0);
      }
    },
  });
}
