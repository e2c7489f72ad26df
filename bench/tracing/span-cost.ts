import { pino } from 'pino';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { startTracing } from '#platform/tracing/start-tracing.ts';
import { inSpan } from '#platform/tracing/tracing.ts';
import { tracingShape } from '#platform/tracing/tracing-settings.ts';

const CHILDREN = 9;
const SPANS_PER_TRACE = CHILDREN + 1;
const TRACES_PER_BLOCK = 2_000;
const BLOCKS = 20;

/** Microseconds of CPU time for one span, while traces are off and while a share of them is exported. */
export interface SpanCost {
  offUs: number;
  onUs: number;
}

/** Measures spans alone, in this process, in alternating blocks. */
export async function measureSpanCost(collector: string, percent: number): Promise<SpanCost> {
  const settings = z.object(tracingShape).parse({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: String(percent / 100),
  });
  const logger = pino({ level: 'silent' });
  const off: number[] = [];
  const on: number[] = [];
  for (let block = -2; block < BLOCKS; block += 1) {
    const offUs = await measureBlock();
    const stop = await startTracing('bench', settings, new Registry(), logger);
    const onUs = await measureBlock();
    await stop();
    if (block < 0) continue;
    off.push(offUs);
    on.push(onUs);
  }
  return { offUs: median(off), onUs: median(on) };
}

/** As a request does: a span with parts that each wait for something. */
async function measureBlock(): Promise<number> {
  const before = process.cpuUsage();
  for (let trace = 0; trace < TRACES_PER_BLOCK; trace += 1) {
    await inSpan('request', { kind: 'server' }, async () => {
      for (let child = 0; child < CHILDREN; child += 1) {
        await inSpan('statement', { kind: 'client', attributes: ATTRIBUTES }, async () => child);
      }
    });
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (TRACES_PER_BLOCK * SPANS_PER_TRACE);
}

const ATTRIBUTES = { 'db.system.name': 'postgresql' };

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
