import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { type OtlpReceiver, startOtlpReceiver } from '../../tests/support/otlp-receiver.ts';
import { until } from '../../tests/support/system.ts';
import { inEventSpan, inSendSpan } from '../messaging/event-traces.ts';
import { type EventRecord, newEvent } from '../messaging/events.ts';
import { RetryLater } from '../messaging/failures.ts';
import { currentCorrelation, withCorrelation } from '../observability/correlation.ts';
import { startTracing } from '../tracing/start-tracing.ts';
import { parseTraceparent, requestSpan } from '../tracing/traceparent.ts';
import {
  inChildSpan,
  inLateSpan,
  inSpan,
  startRequestSpan,
  traceparentOf,
  tracingHeaders,
} from '../tracing/tracing.ts';
import { tracingShape } from '../tracing/tracing-settings.ts';

const SAMPLED = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const NONE = { OTEL_TRACES_SAMPLER: 'parentbased_always_off' };
const ID = 'b26d4b54-3c10-452d-94db-d5757985acc4';

let running: { stop: () => Promise<void>; receiver: OtlpReceiver } | undefined;
afterEach(async () => {
  await running?.stop();
  await running?.receiver.close();
  running = undefined;
});

/** Starts tracing with these settings, to a receiver of its own; `flush` ends it. */
async function trace(settings: Record<string, string> = {}) {
  const receiver = await startOtlpReceiver();
  const lines: string[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(line) });
  const metrics = new Registry();
  const parsed = z.object(tracingShape).parse({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    TRACE_SLOW_MS: '600000',
    ...settings,
  });
  const stop = await startTracing('test', parsed, metrics, logger);
  running = { stop, receiver };
  const dropped = async (reason: string) => {
    const { values } = await (
      metrics.getSingleMetric('spacerent_trace_spans_dropped_total') as never as {
        get(): Promise<{ values: { labels: { reason: string }; value: number }[] }>;
      }
    ).get();
    return values.find(({ labels }) => labels.reason === reason)?.value;
  };
  const names = () => receiver.spans.map(({ name }) => name).sort();
  return { receiver, stop, dropped, names, lines };
}

function anEvent(change: Partial<EventRecord> = {}): EventRecord {
  return {
    id: '01890000-0000-7000-8000-000000000001',
    topic: 'booking',
    type: 'Booked',
    aggregateId: '01890000-0000-7000-8000-000000000002',
    version: 1,
    occurredAt: new Date().toISOString(),
    correlationId: ID,
    payload: {},
    awaiting: ['mypage'],
    traceparent: SAMPLED,
    ...change,
  };
}

const ok = async () => undefined;
const broken = async () => {
  throw Object.assign(new Error('kim@example.org failed'), { code: 'ECONNREFUSED' });
};

describe('traces', () => {
  test('without a collector no span is started, and requests have no traceparent', async () => {
    await inSpan('root', {}, async (span) => {
      expect(span).toBeUndefined();
      expect(tracingHeaders()).toEqual({ 'x-correlation-id': expect.any(String) });
    });
  });

  test('parts of a trace are children of what is active, and nothing without it is a part', async () => {
    const { stop, receiver, names } = await trace();
    await inChildSpan('of nothing', {}, ok);
    await inSpan('root', {}, () => inChildSpan('child', {}, ok));
    await stop();
    expect(names()).toEqual(['child', 'root']);
    const [child, root] = receiver.spans;
    expect(child?.parentSpanId).toBe(root?.spanId);
  });

  test('the first span of a client’s request has the trace that its correlation id names', async () => {
    const { stop, receiver } = await trace();
    withCorrelation({ id: ID }, () => {
      startRequestSpan('request', { isClients: true })?.end();
      expect(currentCorrelation()?.id).toBe(ID);
    });
    await inLateSpan('late', ID, ok);
    await stop();
    const [request, late] = receiver.spans;
    expect(request).toMatchObject({ traceId: requestSpan(ID)?.traceId, parentSpanId: undefined });
    expect(late?.links).toEqual([{ traceId: request?.traceId, spanId: request?.spanId }]);
    expect(late?.traceId).not.toBe(request?.traceId);
  });

  test('what failed is exported whatever the sampler says, without the message of the error', async () => {
    const { stop, receiver, names } = await trace(NONE);
    await inSpan('fine', {}, ok);
    await expect(inSpan('root', {}, () => inSpan('failed', {}, broken))).rejects.toThrow('kim');
    await inSpan('refused', {}, broken, () => false).catch(() => {});
    await stop();
    expect(names()).toEqual(['failed', 'root']);
    expect(receiver.spans[0]?.attributes['error.type']).toBe('ECONNREFUSED');
    expect(receiver.bodies.join()).not.toContain('kim');
  });

  test.each([
    ['parentbased_always_off', '1'],
    ['traceidratio', '0'],
    ['parentbased_traceidratio', '0'],
    ['parentbased_traceidratio', '0.01'],
  ])('with %s of %s a failed trace and a slow one are exported', async (sampler, ratio) => {
    const { stop, names } = await trace({
      OTEL_TRACES_SAMPLER: sampler,
      OTEL_TRACES_SAMPLER_ARG: ratio,
      TRACE_SLOW_MS: '20',
    });
    await inSpan('failed', {}, broken).catch(() => {});
    await inSpan('slow', { elapsedMs: 20 }, () => inChildSpan('part', {}, ok));
    await stop();
    expect(names()).toEqual(['failed', 'part', 'slow']);
  });

  test('what is neither failed nor slow is not exported where no trace is', async () => {
    const { stop, names } = await trace({
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    });
    await inSpan('fine', { elapsedMs: 1_000 }, () => inChildSpan('part', {}, ok));
    await stop();
    expect(names()).toEqual([]);
  });

  test('a trace that another service samples is sampled, and one that it does not is not', async () => {
    const { stop, names } = await trace({
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '1',
    });
    await inSpan('sampled', { parent: parseTraceparent(SAMPLED) }, ok);
    await inSpan('not sampled', { parent: parseTraceparent(SAMPLED.replace(/1$/, '0')) }, ok);
    await stop();
    expect(names()).toEqual(['sampled']);
  });

  test('an event is processed in the trace of its change, and long after it in a linked one', async () => {
    const { stop, receiver } = await trace(NONE);
    await inEventSpan('mypage', anEvent(), ok);
    await inEventSpan('mypage', anEvent({ occurredAt: new Date(0).toISOString() }), ok);
    await stop();
    const [prompt, late] = receiver.spans;
    const origin = parseTraceparent(SAMPLED);
    expect(prompt).toMatchObject({
      name: 'process booking.mypage',
      traceId: origin?.traceId,
      parentSpanId: origin?.spanId,
      links: [],
    });
    expect(late).toMatchObject({
      parentSpanId: undefined,
      links: [{ traceId: origin?.traceId, spanId: origin?.spanId }],
    });
    expect(late?.traceId).not.toBe(origin?.traceId);
  });

  test('an event that must wait has not failed', async () => {
    const { stop, names } = await trace(NONE);
    const event = anEvent({ traceparent: SAMPLED.replace(/1$/, '0') });
    const wait = async () => {
      throw new RetryLater('its payment comes first');
    };
    await inEventSpan('space', event, wait).catch(() => {});
    await inEventSpan('mypage', event, broken).catch(() => {});
    await stop();
    expect(names()).toEqual(['process booking.mypage']);
  });

  test('one new event is sent in its trace; several, and one that is sent again, in a linked trace', async () => {
    const { stop, receiver } = await trace(NONE);
    const event = anEvent();
    await inSendSpan([{ event, attempt: 1 }], ok);
    await inSendSpan([{ event, attempt: 2 }], ok);
    await inSendSpan(
      [event, anEvent()].map((each) => ({ event: each, attempt: 1 })),
      ok,
    );
    await stop();
    const { traceId, spanId } = parseTraceparent(SAMPLED) as { traceId: string; spanId: string };
    const link = { traceId, spanId };
    expect(receiver.spans.map((span) => [span.parentSpanId, span.links])).toEqual([
      [spanId, []],
      [undefined, [link]],
      [undefined, [link, link]],
    ]);
  });

  test('a new event names the span of its creation, and none where nothing is traced', async () => {
    const contract = { topic: 'tests', payload: z.object({}) };
    const change = { aggregateId: ID, version: 1, occurredAt: new Date(), payload: {} };
    expect(newEvent('Tested', contract, change)).not.toHaveProperty('traceparent');
    const { stop, receiver } = await trace();
    let traceparent: string | undefined;
    await inSpan('change', {}, async () => {
      traceparent = newEvent('Tested', contract, change).traceparent;
      expect(traceparent).not.toBe(traceparentOf());
    });
    await stop();
    const created = receiver.spans.find(({ name }) => name === 'create Tested');
    expect(parseTraceparent(traceparent)).toMatchObject({
      traceId: created?.traceId,
      spanId: created?.spanId,
    });
  });

  test('while the collector does not respond, spans above the queue are dropped and counted', async () => {
    const { receiver, dropped } = await trace({ OTEL_BSP_MAX_QUEUE_SIZE: '10' });
    receiver.behave('hang');
    for (let n = 0; n < 50; n += 1) await inSpan('span', {}, ok);
    expect(await dropped('queue')).toBe(40);
    await running?.stop();
    running = undefined;
    await receiver.close();
  });

  test('what a collector refuses is counted and logged', async () => {
    const { receiver, dropped, lines } = await trace({ OTEL_BSP_SCHEDULE_DELAY: '1' });
    await receiver.close();
    await inSpan('span', {}, ok);
    await until('it is counted', async () => (await dropped('export')) === 1, 30);
    expect(lines.join()).toContain('the collector does not take them');
  });
});
