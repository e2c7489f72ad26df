import { Counter } from 'prom-client';
import type { Pool } from '../database/postgres.ts';
import { databaseGauges, type GaugeOfRows } from '../observability/database-gauges.ts';
import type { Metrics } from '../observability/metrics.ts';
import {
  MAX_EVENTS_READ,
  readUnacknowledged,
  type UnacknowledgedEvents,
  type WaitingEvents,
} from './waiting-events.ts';

const EXACT = `Whole database; at least, once more than ${MAX_EVENTS_READ} events wait.`;

/** The queues of a publisher's events, by consumer. */
type Queues = ReadonlyMap<string, readonly string[]>;

/** The counters of a relay, and gauges of the unacknowledged events in its outbox. */
export function relayMetrics(pool: Pool, metrics: Metrics, queues: Queues) {
  const registers = [metrics];
  databaseGauges(metrics, () => readUnacknowledged(pool), outboxGauges(queues));
  return {
    published: new Counter({
      name: 'spacerent_events_published_total',
      help: 'Events that the process has committed to its outbox. Per process.',
      labelNames: ['type'],
      registers,
    }),
    sent: new Counter({
      name: 'spacerent_events_sent_total',
      help: 'Events handed to a queue; again: after a lease ran out. Per process.',
      labelNames: ['queue', 'again'],
      registers,
    }),
    acknowledged: new Counter({
      name: 'spacerent_events_acknowledged_total',
      help: 'Events that a consumer has acknowledged. Per process.',
      labelNames: ['consumer'],
      registers,
    }),
  };
}

/** Every queue has a sample, also when nothing waits in it. */
function outboxGauges(queues: Queues): GaugeOfRows<UnacknowledgedEvents>[] {
  const labels = [...queues].flatMap(([consumer, names]) =>
    names.map((queue) => ({ queue, consumer })),
  );
  const toSamples = (field: 'events' | 'oldestSeconds') => (rows: UnacknowledgedEvents) =>
    labels.map((each) => {
      const waiting: WaitingEvents | undefined = rows.queues.find(
        ({ queue }) => queue === each.queue,
      );
      return { labels: each, value: waiting?.[field] ?? 0 };
    });
  return [
    {
      name: 'spacerent_outbox_oldest_unacknowledged_seconds',
      help: `Age of the oldest event that some consumer has not acknowledged. ${EXACT}`,
      toSamples: ({ oldestSeconds }) => [{ value: oldestSeconds }],
    },
    {
      name: 'spacerent_outbox_unacknowledged_events',
      help: `Events that some consumer has not acknowledged. ${EXACT}`,
      toSamples: ({ events }) => [{ value: events }],
    },
    {
      name: 'spacerent_queue_oldest_event_seconds',
      help: `Age of the oldest event that the consumer of the queue has not processed. ${EXACT}`,
      labelNames: ['queue', 'consumer'],
      toSamples: toSamples('oldestSeconds'),
    },
    {
      name: 'spacerent_queue_waiting_events',
      help: `Events that the consumer of the queue has not processed. ${EXACT}`,
      labelNames: ['queue', 'consumer'],
      toSamples: toSamples('events'),
    },
  ];
}
