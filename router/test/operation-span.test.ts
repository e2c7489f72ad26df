import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { createHttpServer } from '#platform/http/http-server.ts';
import { newCorrelation } from '#platform/observability/correlation.ts';
import { startTracing } from '#platform/tracing/start-tracing.ts';
import { tracingShape } from '#platform/tracing/tracing-settings.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../tests/support/otlp-receiver.ts';
import { endOperationSpan, operationSpans } from '../src/http/operation-span.ts';

const CLIENTS_TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CLIENTS_SPAN = '00f067aa0ba902b7';
const logger = pino({ level: 'silent' });

let stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  stops = [];
});

/** Sends a request with a sampled `traceparent` to a router with these settings, which samples nothing itself. */
async function requestWith(
  settings: { TRUSTED_PROXIES: string[]; TRUSTED_PROXIES_TRACE: 'on' | 'off' },
  { sampler = 'parentbased_always_off', outcome = 'ok' as 'ok' | 'error' | 'refused' } = {},
): Promise<{ correlationId: string; receiver: OtlpReceiver }> {
  const receiver = await startOtlpReceiver();
  const tracing = z.object(tracingShape).parse({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_TRACES_SAMPLER: sampler,
    TRACE_SLOW_MS: '600000',
  });
  const stopTracing = await startTracing('router', tracing, new Registry(), logger);
  const start = operationSpans(settings);
  const health = { ready: async () => undefined, draining: new AbortController().signal };
  const app = createHttpServer(health, logger, {}, newCorrelation);
  app.post('/graphql', async (request) => {
    const operation = { kind: 'query', name: 'MyPage', protocol: 'http', outcome } as const;
    endOperationSpan(start(request, 0), operation, 200);
    return {};
  });
  stops = [() => app.close(), () => receiver.close()];
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const { headers } = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { traceparent: `00-${CLIENTS_TRACE}-${CLIENTS_SPAN}-01` },
  });
  await stopTracing();
  return { correlationId: String(headers.get('x-correlation-id')), receiver };
}

const STRANGERS = { TRUSTED_PROXIES: [], TRUSTED_PROXIES_TRACE: 'on' } as never;
const SILENT_PROXY = { TRUSTED_PROXIES: ['loopback'], TRUSTED_PROXIES_TRACE: 'off' } as never;
const TRACING_PROXY = { TRUSTED_PROXIES: ['loopback'], TRUSTED_PROXIES_TRACE: 'on' } as never;

describe('the span of an operation', () => {
  test.each([
    ['a client', STRANGERS],
    ['a proxy that only forwards headers', SILENT_PROXY],
  ])('%s cannot have its request exported', async (_name, settings) => {
    const { receiver } = await requestWith(settings);
    expect(receiver.spans).toEqual([]);
  });

  test.each([
    ['a client', STRANGERS],
    ['a proxy that only forwards headers', SILENT_PROXY],
  ])(
    'a trace of %s is linked, and its request begins one with its correlation id',
    async (_name, settings) => {
      const { receiver, correlationId } = await requestWith(settings, { sampler: 'always_on' });
      expect(receiver.spans).toEqual([
        expect.objectContaining({
          name: 'query',
          traceId: correlationId.replaceAll('-', ''),
          parentSpanId: undefined,
          links: [{ traceId: CLIENTS_TRACE, spanId: CLIENTS_SPAN }],
          attributes: expect.objectContaining({
            'graphql.operation.name': 'MyPage',
            'spacerent.correlation_id': correlationId,
          }),
        }),
      ]);
    },
  );

  test('the trace of a proxy that traces is continued, and sampled as the proxy says', async () => {
    const { receiver } = await requestWith(TRACING_PROXY);
    expect(receiver.spans).toEqual([
      expect.objectContaining({ traceId: CLIENTS_TRACE, parentSpanId: CLIENTS_SPAN, links: [] }),
    ]);
  });

  test('an operation that failed is exported, and one that was refused is not', async () => {
    const failed = await requestWith(STRANGERS, { outcome: 'error' });
    expect(failed.receiver.spans).toEqual([expect.objectContaining({ isFailed: true })]);
    for (const stop of stops.splice(0)) await stop();
    const refused = await requestWith(STRANGERS, { outcome: 'refused' });
    expect(refused.receiver.spans).toEqual([]);
  });
});
