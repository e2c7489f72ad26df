import { withCorrelation } from '../observability/correlation.ts';
import { parseTraceparent } from '../tracing/traceparent.ts';
import {
  inSpan,
  isTracing,
  type Span,
  type SpanContext,
  type SpanOptions,
} from '../tracing/tracing.ts';
import { eventAttributes } from './event-span.ts';
import { type EventRecord, queueName } from './events.ts';
import { RetryLater } from './failures.ts';
import type { ClaimedEvent } from './outbox.ts';

/** What is processed later is no part of the trace of the change: it is linked to it. The outbox sends again after 5 s. */
const PROMPT_MS = 5_000;

/** Processes an event under its correlation id, in a span that fails as the work does, unless the event is to wait. */
export function inEventSpan<T>(
  consumer: string,
  event: EventRecord,
  work: () => Promise<T>,
): Promise<T> {
  return withCorrelation(event.correlationId, () =>
    isTracing() ? inSpan(...processing(consumer, event), work, isFailure) : work(),
  );
}

function processing(consumer: string, event: EventRecord): [name: string, options: SpanOptions] {
  const origin = parseTraceparent(event.traceparent);
  const isPrompt = Date.now() - Date.parse(event.occurredAt) < PROMPT_MS;
  const options: SpanOptions = {
    kind: 'consumer',
    attributes: eventAttributes(event),
    ...(isPrompt ? { parent: origin ?? 'none' } : { parent: 'none', links: [origin] }),
  };
  return [`process ${queueName(event.topic, consumer)}`, options];
}

function isFailure(error: unknown): boolean {
  return !(error instanceof RetryLater);
}

/** Sends events in a span: a part of the trace of a single new event, and linked to the traces of several or old ones. */
export function inSendSpan<T>(
  events: readonly ClaimedEvent[],
  work: (span?: Span) => Promise<T>,
): Promise<T> {
  if (!isTracing()) return work();
  const origins = events.map(({ event }) => parseTraceparent(event.traceparent));
  const isAgain = events.some(({ attempt }) => attempt > 1);
  const options: SpanOptions = {
    kind: 'producer',
    attributes: { 'messaging.batch.message_count': events.length },
    ...(isAgain ? { parent: 'none', links: origins } : originOfBatch(origins)),
  };
  // The relay sends for many requests, in the context of one of them.
  return inSpan('send events', options, work);
}

/** Work on several things at once is a part of the trace of a single one, and linked to the traces of several. */
export function originOfBatch(
  origins: readonly (SpanContext | undefined)[],
): Pick<SpanOptions, 'parent' | 'links'> {
  if (origins.length === 1) return { parent: origins[0] ?? 'none' };
  return { parent: 'none', links: origins };
}
