import { pino } from 'pino';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { startTracing } from '#platform/tracing/start-tracing.ts';
import { tracingShape } from '#platform/tracing/tracing-settings.ts';
import { type ReceivedSpan, startOtlpReceiver } from './otlp-receiver.ts';

/** The spans that `work` leaves while all traces are exported. */
export async function exportedSpans(work: () => Promise<unknown>): Promise<ReceivedSpan[]> {
  const receiver = await startOtlpReceiver();
  const settings = z.object(tracingShape).parse({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  const stop = await startTracing('test', settings, new Registry(), pino({ level: 'silent' }));
  try {
    await work();
  } finally {
    await stop();
    await receiver.close();
  }
  return receiver.spans;
}
