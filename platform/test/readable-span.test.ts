import { describe, expect, test } from '@jest/globals';
import type { Attributes, HrTime, SpanContext } from '@opentelemetry/api';
import { type SpanOrigin, toReadableSpan } from '../tracing/readable-span.ts';
import { LocalTrace, Span } from '../tracing/span.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const ORIGIN = {
  resource: { attributes: {} },
  instrumentationScope: { name: 'tests' },
} as unknown as SpanOrigin;

function startSpan(options: Partial<ConstructorParameters<typeof Span>[0]> = {}): Span {
  return new Span({
    name: 'span',
    kind: 'internal',
    trace: new LocalTrace(TRACE, false),
    parent: undefined,
    links: [],
    attributes: undefined,
    spanId: undefined,
    elapsedMs: 0,
    onEnd: () => {},
    ...options,
  });
}

function exported(span: Span) {
  return toReadableSpan(span, ORIGIN);
}

function attributesOf(...all: Attributes[]): Attributes {
  const span = startSpan();
  for (const attributes of all) span.setAttributes(attributes);
  return exported(span).attributes;
}

const toMs = ([seconds, nanoseconds]: HrTime) => seconds * 1e3 + nanoseconds / 1e6;

function linkTo(n: number): SpanContext {
  return { traceId: TRACE, spanId: n.toString(16).padStart(16, '0'), traceFlags: 0 };
}

describe('a span that is exported', () => {
  test('its times are of the epoch, and it ends as long after its start as it took', () => {
    const before = Date.now();
    const span = startSpan({ elapsedMs: 2_500 });
    span.end();
    const after = Date.now();
    const { startTime, endTime, duration } = exported(span);
    expect(toMs(startTime)).toBeGreaterThanOrEqual(before - 2_500 - 2);
    expect(toMs(startTime)).toBeLessThanOrEqual(after - 2_500 + 2);
    expect(toMs(duration)).toBeGreaterThanOrEqual(2_500);
    expect(toMs(endTime) - toMs(startTime)).toBeCloseTo(toMs(duration), 2);
    for (const [, nanoseconds] of [startTime, endTime, duration]) {
      expect(Number.isInteger(nanoseconds) && nanoseconds >= 0 && nanoseconds < 1e9).toBe(true);
    }
  });

  test('the times of a part are within those of its parent', () => {
    const trace = new LocalTrace(TRACE, false);
    const parent = startSpan({ trace });
    const child = startSpan({ trace, parent });
    child.end();
    parent.end();
    expect(toMs(exported(child).startTime)).toBeGreaterThanOrEqual(
      toMs(exported(parent).startTime),
    );
    expect(toMs(exported(child).endTime)).toBeLessThanOrEqual(toMs(exported(parent).endTime));
  });

  test('it names its trace and parent, and is marked as sampled whatever the sampler has said', () => {
    const trace = new LocalTrace(TRACE, false);
    const parent = startSpan({ trace });
    const child = startSpan({ trace, parent });
    expect(child.spanContext().traceFlags).toBe(0);
    const { parentSpanContext, spanContext } = exported(child);
    expect(parentSpanContext).toEqual(parent.spanContext());
    expect(spanContext()).toEqual({ traceId: TRACE, spanId: child.spanId, traceFlags: 1 });
    expect(child.spanId).not.toBe(parent.spanId);
    expect(exported(parent)).not.toHaveProperty('parentSpanContext');
  });

  test('a later attribute replaces an earlier one, and one without a value is left out', () => {
    expect(attributesOf({ a: 1, b: 2 }, { a: 'one' }, { c: undefined })).toEqual({
      a: 'one',
      b: 2,
    });
  });

  test('a value of more than 256 characters is cut off', () => {
    expect(attributesOf({ long: 'x'.repeat(300) })).toEqual({ long: 'x'.repeat(256) });
  });

  test('of more than 128 links the last ones are exported, and the others are counted', () => {
    const links = [undefined, ...Array.from({ length: 130 }, (_, n) => linkTo(n))];
    const span = exported(startSpan({ links }));
    expect(span.links.map(({ context }) => context)).toEqual(links.slice(3));
    expect(span.droppedLinksCount).toBe(2);
  });

  test('what happens after its end changes nothing', () => {
    const ended: Span[] = [];
    const span = startSpan({ onEnd: (each) => ended.push(each) });
    span.end();
    const { durationMs } = span;
    span.setAttributes({ late: true });
    span.fail('late');
    span.end();
    expect(ended).toEqual([span]);
    expect(span).toMatchObject({ durationMs, isFailed: false });
    expect(exported(span).attributes).toEqual({});
  });
});
