import { Counter, Gauge, Histogram } from 'prom-client';
import { databaseGauge } from '../observability/database-gauges.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import { type DeadLetters, MAX_COUNTED } from './dead-letters.ts';
import { type EventRecord, queueName } from './events.ts';
import { failureKind } from './failures.ts';

const WARN_EVERY_MS = 60_000;
/** The outbox redelivers at least once a minute: an event not seen for longer was processed elsewhere. */
const MAX_WAITING_MS = 150_000;
const MAX_WAITING = 10_000;

/** From a moment to the hour that a consumer may be away. */
const DELAY_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600];
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Counts and logs how each delivery of an event ended. */
export interface ConsumerWatch {
  /** Runs the handler of an event, and measures how long it takes and how it ends. */
  measure(event: EventRecord, handle: () => Promise<void>): Promise<void>;
  processed(event: EventRecord): void;
  failed(event: EventRecord, error: unknown): void;
  /** The attempt failed for a transient reason and does not count. */
  deferred(event: EventRecord, error: unknown): void;
  notUnderstood(event: EventRecord, error: unknown): void;
}

/** Logs at most one warning per type of event and minute for events that are redelivered. */
export function watchConsumer(deps: {
  /** The context, as the topology names it. */
  name: string;
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

  const measure = eventMeasure(deps);

  return {
    measure,
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

/** Makes the function that measures each attempt to process an event, by queue. */
function eventMeasure({ name, metrics }: { name: string; metrics: Metrics }) {
  const registers = [metrics];
  const duration = new Histogram({
    name: 'spacerent_event_processing_seconds',
    help: 'Time of an attempt to process an event; its outcome is processed, or the kind of failure. Per process.',
    labelNames: ['queue', 'outcome'],
    buckets: SECONDS,
    registers,
  });
  const delay = new Histogram({
    name: 'spacerent_event_delay_seconds',
    help: 'Time from a change to the end of the processing of its event, by the clocks of two machines. Per process.',
    labelNames: ['queue'],
    buckets: DELAY_SECONDS,
    registers,
  });
  return async ({ topic, occurredAt }: EventRecord, handle: () => Promise<void>) => {
    const queue = queueName(topic, name);
    const end = duration.startTimer({ queue });
    try {
      await handle();
    } catch (error) {
      end({ outcome: failureKind(error) });
      throw error;
    }
    end({ outcome: 'processed' });
    // A clock that is ahead must not reduce the sum.
    const seconds = (Date.now() - Date.parse(occurredAt)) / 1_000;
    if (Number.isFinite(seconds)) delay.observe({ queue }, Math.max(0, seconds));
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
  const processed = counter(
    'spacerent_events_processed_total',
    'Events that took effect. Per process.',
  );
  const failed = counter(
    'spacerent_event_failures_total',
    'Attempts to process an event that failed and count. Per process.',
  );
  const deferred = counter(
    'spacerent_events_deferred_total',
    'Attempts to process an event that failed for a transient reason and do not count. Per process.',
  );
  const notUnderstood = counter(
    'spacerent_events_not_understood_total',
    'Deliveries of an event that this version of the code does not know. Per process.',
  );
  new Gauge({
    name: 'spacerent_events_not_understood',
    help: 'Events that wait for a newer version of the code, as far as this process has seen them. Per process.',
    registers,
    collect() {
      const since = Date.now() - MAX_WAITING_MS;
      for (const [id, at] of waiting) if (at < since) waiting.delete(id);
      this.set(waiting.size);
    },
  });
  const lastSeen = new Gauge({
    name: 'spacerent_events_not_understood_last_seen_timestamp_seconds',
    help: 'When an event that this version does not know was last delivered; 0: never. Per process.',
    registers,
  });
  databaseGauge(
    metrics,
    {
      name: 'spacerent_dead_letters',
      help: `Parked events, which wait for an operator, ${MAX_COUNTED} at most. Whole database.`,
    },
    async () => [{ value: await deadLetters.count('PARKED') }],
  );
  return { processed, failed, deferred, notUnderstood, lastSeen };
}
