import { Counter } from 'prom-client';
import type { Pool } from '../database/postgres.ts';
import { databaseGauge, type Metrics } from '../observability/metrics.ts';
import { countUnacknowledged } from './outbox.ts';

/** The counters of a relay, and gauges of the unacknowledged events in its outbox. */
export function relayMetrics(pool: Pool, metrics: Metrics) {
  const registers = [metrics];
  databaseGauge(
    metrics,
    {
      name: 'spacerent_outbox_oldest_unacknowledged_seconds',
      help: 'Age of the oldest event that some consumer has not acknowledged',
    },
    async () => [{ value: (await countUnacknowledged(pool)).seconds }],
  );
  databaseGauge(
    metrics,
    {
      name: 'spacerent_outbox_unacknowledged_events',
      help: 'Events that some consumer has not acknowledged',
    },
    async () => [{ value: (await countUnacknowledged(pool)).events }],
  );
  return {
    sent: new Counter({
      name: 'spacerent_events_sent_total',
      help: 'Events handed to a queue; again: after a lease ran out',
      labelNames: ['queue', 'again'],
      registers,
    }),
    acknowledged: new Counter({
      name: 'spacerent_events_acknowledged_total',
      help: 'Events that a consumer has acknowledged',
      labelNames: ['consumer'],
      registers,
    }),
  };
}
