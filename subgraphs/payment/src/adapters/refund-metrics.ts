import { type Pool, statement } from '#platform/database/postgres.ts';
import { databaseGauges } from '#platform/observability/database-gauges.ts';
import type { Metrics } from '#platform/observability/metrics.ts';

// Open refunds are few and have indexes of their own; completed ones are never counted. Nobody waits for the money
// of a goodwill refund that has failed: it shows for a day, so that an operator sees it, and has no age.
const findOpenRefunds = statement<{
  state: 'owed' | 'refused' | 'failed';
  refunds: number;
  age: number;
}>(
  'refund-open',
  `SELECT CASE WHEN failed_at IS NOT NULL THEN 'failed'
               WHEN refusals > 0 THEN 'refused' ELSE 'owed' END AS state,
          count(*)::int AS refunds,
          coalesce(extract(epoch FROM now() - min(owed_at)), 0)::float AS age
     FROM (SELECT failed_at, refusals, owed_at FROM refund WHERE settled_at IS NULL
            UNION ALL
           SELECT failed_at, refusals, requested_at FROM payment_change
            WHERE settled_at IS NULL AND (next_attempt_at IS NOT NULL OR failed_at IS NOT NULL)
            UNION ALL
           SELECT failed_at, refusals, CASE WHEN failed_at IS NULL THEN owed_at END
             FROM goodwill_refund
            WHERE settled_at IS NULL AND (failed_at IS NULL OR failed_at > now() - interval '1 day')) open
    GROUP BY 1`,
);

/** Counts the refunds that are not completed by their obstacle, and measures the age of the oldest. */
export function refundMetrics(pool: Pool, metrics: Metrics): void {
  databaseGauges(metrics, () => findOpenRefunds(pool), [
    {
      name: 'spacerent_refund_oldest_due_seconds',
      help: 'Age of the oldest refund that is not completed. Whole database.',
      toSamples: (rows) => [{ value: Math.max(0, ...rows.map(({ age }) => age)) }],
    },
    {
      name: 'spacerent_refunds_due',
      help:
        'Refunds that are not completed; refused: by the provider, and retried; failed: left to operators, ' +
        'or a goodwill refund that failed within a day. Whole database.',
      labelNames: ['state'],
      toSamples: (rows) =>
        (['owed', 'refused', 'failed'] as const).map((state) => ({
          labels: { state },
          value: rows.find((row) => row.state === state)?.refunds ?? 0,
        })),
    },
  ]);
}
