import { describe, expect, test } from '@jest/globals';
import {
  formatTraceparent,
  parseTraceparent,
  requestSpan,
  unsampled,
} from '../tracing/traceparent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const VALID = `00-${TRACE}-${SPAN}-01`;

describe('traceparent', () => {
  test('a valid traceparent names a span of another process, and is written as it was', () => {
    const context = parseTraceparent(VALID);
    expect(context).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags: 1, isRemote: true });
    expect(context && formatTraceparent(context)).toBe(VALID);
  });

  test('of the flags only the one for sampling is read', () => {
    const flagsOf = (flags: string) => parseTraceparent(`00-${TRACE}-${SPAN}-${flags}`)?.traceFlags;
    expect(['00', '01', '02', '03', 'fe', 'ff'].map(flagsOf)).toEqual([0, 1, 0, 1, 0, 1]);
  });

  test('a later version is read like version 00, whatever follows', () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-follows`)?.traceId).toBe(TRACE);
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01`)?.traceId).toBe(TRACE);
  });

  test.each([
    ['nothing', undefined],
    ['two headers', [VALID, VALID]],
    ['an empty text', ''],
    ['capital letters', VALID.toUpperCase()],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['the forbidden version', `ff-${TRACE}-${SPAN}-01`],
    ['more than version 00 has', `${VALID}-more`],
    ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['no flags', `00-${TRACE}-${SPAN}`],
    ['a line break', `${VALID}\n`],
    ['a later version without a delimiter', `cc-${TRACE}-${SPAN}-01more`],
    ['a very long text', `cc-${TRACE}-${SPAN}-01-${'x'.repeat(10_000)}`],
  ])('%s names no span', (_name, value) => {
    expect(parseTraceparent(value)).toBeUndefined();
  });

  test('the trace of a request has the digits of its correlation id, and another id has none', () => {
    const context = requestSpan('b26d4b54-3c10-452d-94db-d5757985acc4');
    expect(context?.traceId).toBe('b26d4b543c10452d94dbd5757985acc4');
    expect(context && parseTraceparent(formatTraceparent(context))).toEqual(context);
    expect(requestSpan('tests')).toBeUndefined();
  });

  test('a linked span that is not sampled stays the same span', () => {
    const context = parseTraceparent(VALID);
    expect(context && formatTraceparent(unsampled(context))).toBe(`00-${TRACE}-${SPAN}-00`);
  });
});
