import { isTracing, startChildSpan, traceparentOf } from '../tracing/tracing.ts';

interface IdentifiedEvent {
  id: string;
  type: string;
  topic: string;
}

/** The attributes of each span of an event. */
export function eventAttributes({ id, type, topic }: IdentifiedEvent) {
  return {
    'messaging.system': 'bullmq',
    'messaging.destination.name': topic,
    'messaging.message.id': id,
    'spacerent.event.type': type,
  };
}

/**
 * The span of an event's creation, as a part of the active trace: it takes no time, and what consumers do follows from
 * it. Returns its `traceparent`.
 */
export function traceCreation(event: IdentifiedEvent): string | undefined {
  if (!isTracing()) return undefined;
  const span = startChildSpan(`create ${event.type}`, {
    kind: 'producer',
    attributes: eventAttributes(event),
  });
  span?.end();
  return span && traceparentOf(span);
}
