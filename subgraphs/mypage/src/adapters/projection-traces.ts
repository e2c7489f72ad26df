import { originOfBatch } from '#platform/messaging/event-traces.ts';
import { activeSpan, inSpan, type SpanContext, traceparentOf } from '#platform/tracing/tracing.ts';
import type { BookingStatusView } from '../booking-status-view.ts';
import type { ViewStore } from '../ports.ts';
import type { ConsumedEvent } from '../space-view.ts';

type Project = (event: ConsumedEvent) => Promise<void>;

/**
 * Follows events through the projector, which writes those of many traces in one transaction: the transaction is a part
 * of the trace of a single event, and linked to the traces of several.
 */
export function projectionTraces() {
  const origins = new WeakMap<ConsumedEvent, SpanContext>();
  const traceparents = new WeakMap<BookingStatusView, string>();

  return {
    /** The projector, for consumers of events. */
    fromEvents:
      (project: Project): Project =>
      (event) => {
        const span = activeSpan();
        if (span) origins.set(event, span.spanContext());
        return project(event);
      },

    /** The views, for the projector. */
    inSpans: (views: Pick<ViewStore, 'project'>): Pick<ViewStore, 'project'> => ({
      project: (events) =>
        inSpan(
          'project views',
          originOfBatch(events.map((event) => origins.get(event))),
          async () => {
            const versions = await views.project(events);
            const traceparent = traceparentOf();
            if (traceparent) for (const version of versions) traceparents.set(version, traceparent);
            return versions;
          },
        ),
    }),

    /** The span that has written the version. */
    find: (version: BookingStatusView): string | undefined => traceparents.get(version),
  };
}
