import { type Pool, statement } from '#platform/database/postgres.ts';
import { databaseGauge, type Metrics } from '#platform/observability/metrics.ts';

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
  databaseGauge(
    metrics,
    {
      name: 'spacerent_refund_oldest_unsettled_seconds',
      help: 'Age of the oldest refund that is not settled',
    },
    async () => [{ value: Math.max(0, ...(await unsettled(pool)).map(({ age }) => age)) }],
  );
  databaseGauge(
    metrics,
    {
      name: 'spacerent_refunds_unsettled',
      help: 'Refunds that are not settled; refused: by the provider, and tried again; failed: for operators',
      labelNames: ['state'],
    },
    async () => {
      const rows = await unsettled(pool);
      return (['owed', 'refused', 'failed'] as const).map((state) => ({
        labels: { state },
        value: rows.find((row) => row.state === state)?.refunds ?? 0,
      }));
    },
  );
}
