import { Counter, Gauge } from 'prom-client';
import type { Logger } from '../observability/logger.ts';
import { databaseGauge, type Metrics } from '../observability/metrics.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { EventRecord } from './events.ts';

const WARN_EVERY_MS = 60_000;
/** The outbox redelivers at least once a minute: an event not seen for longer was processed elsewhere. */
const MAX_WAITING_MS = 150_000;
const MAX_WAITING = 10_000;

/** Counts and logs how each delivery of an event ended. */
export interface ConsumerWatch {
  processed(event: EventRecord): void;
  failed(event: EventRecord, error: unknown): void;
  /** The attempt failed for a transient reason and does not count. */
  deferred(event: EventRecord, error: unknown): void;
  notUnderstood(event: EventRecord, error: unknown): void;
}

/** Logs at most one warning per type of event and minute for events that are redelivered. */
export function watchConsumer(deps: {
  deadLetters: Pick<DeadLetters, 'count'>;
  metrics: Metrics;
  logger: Logger;
}): ConsumerWatch {
  const { logger } = deps;
  const waiting = new Map<string, number>();
  const { processed, failed, deferred, notUnderstood, lastSeen } = consumerMetrics(deps, waiting);
  const suppressedUntil = new Map<string, number>();
  function warn(event: EventRecord, error: unknown, message: string): void {
    const key = `${event.type} ${message}`;
    const now = Date.now();
    if (now < (suppressedUntil.get(key) ?? 0)) return;
    suppressedUntil.set(key, now + WARN_EVERY_MS);
    logger.warn({ event: event.type, eventId: event.id, err: error }, message);
  }

  return {
    processed({ id, type }) {
      processed.inc({ type });
      waiting.delete(id);
    },
    failed(event, error) {
      failed.inc({ type: event.type });
      logger.error({ event: event.type, eventId: event.id, err: error }, 'event failed');
    },
    deferred(event, error) {
      deferred.inc({ type: event.type });
      warn(event, error, 'event must wait: it is processed again later');
    },
    notUnderstood(event, error) {
      notUnderstood.inc({ type: event.type });
      lastSeen.setToCurrentTime();
      if (waiting.size < MAX_WAITING || waiting.has(event.id)) waiting.set(event.id, Date.now());
      warn(event, error, 'event not understood: it waits for a newer version');
    },
  };
}

/** `waiting`: when this process last received each event that it does not understand. */
function consumerMetrics(
  { deadLetters, metrics }: { deadLetters: Pick<DeadLetters, 'count'>; metrics: Metrics },
  waiting: Map<string, number>,
) {
  const registers = [metrics];
  const counter = (name: string, help: string) =>
    new Counter({ name, help, labelNames: ['type'], registers });
  const processed = counter('spacerent_events_processed_total', 'Events that took effect');
  const failed = counter(
    'spacerent_event_failures_total',
    'Attempts to process an event that failed and count',
  );
  const deferred = counter(
    'spacerent_events_deferred_total',
    'Attempts to process an event that failed for a transient reason and do not count',
  );
  const notUnderstood = counter(
    'spacerent_events_not_understood_total',
    'Deliveries of an event that this version of the code does not know',
  );
  new Gauge({
    name: 'spacerent_events_not_understood',
    help: 'Events that wait for a newer version of the code, as far as this process has seen them',
    registers,
    collect() {
      const since = Date.now() - MAX_WAITING_MS;
      for (const [id, at] of waiting) if (at < since) waiting.delete(id);
      this.set(waiting.size);
    },
  });
  const lastSeen = new Gauge({
    name: 'spacerent_events_not_understood_last_seen_timestamp_seconds',
    help: 'When an event that this version does not know was last delivered; 0: never',
    registers,
  });
  databaseGauge(
    metrics,
    { name: 'spacerent_dead_letters', help: 'Parked events, which wait for an operator' },
    async () => [{ value: await deadLetters.count('PARKED') }],
  );
  return { processed, failed, deferred, notUnderstood, lastSeen };
}
