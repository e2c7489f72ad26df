import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readMachine } from '../measurement/machine.ts';
import { watchStolenTime } from '../measurement/stolen-time.ts';
import { buildOtherVersion, type OtherVersion } from '../protection/other-version.ts';
import { log, measureSystem } from '../system/measure-system.ts';
import { type System, startSystem } from '../system/system.ts';
import { startCollector } from './collector.ts';
import { type Options, readOptions } from './options.ts';
import { type Rounds, toReport } from './report.ts';
import { measureSpanCost, type SpanCost } from './span-cost.ts';
import { switchedTraces } from './switched-traces.ts';
import { openVariant, type Variant } from './variant.ts';

/** Node compiles what runs often: before that, a span costs ten times as much. */
const WARM_UP = { bookings: 300, reads: 2_000 };

const traces = switchedTraces();
process.once('exit', traces.remove);
await measureSystem(readOptions, measure, traces.environment);

/**
 * Each round measures all variants one after the other, in an order that rotates: the system of this version with its
 * traces off and on, and next to it the other version.
 */
async function measure(system: System, options: Options): Promise<void> {
  const stolen = watchStolenTime();
  const collector = await startCollector();
  let other: System | undefined;
  let version: OtherVersion | undefined;
  try {
    log('Measuring spans alone');
    const spanCost = await measureSpanCost(collector.url, options.percent);
    if (options.against !== undefined) {
      log(`Building ${options.against}`);
      version = buildOtherVersion(options.against);
      other = await startSystem(undefined, {}, version.root);
    }
    const before = other && (await openVariant(other));
    const own = await openVariant(system);
    const variants = {
      ...(before && { 'before traces': before }),
      'traces off': withTraces(own, {}),
      [`traces on, ${options.percent} %`]: withTraces(own, {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: String(options.percent / 100),
      }),
    };
    const rounds = await measureInTurns(variants, options);
    await before?.close();
    await own.close();
    await writeResults(options, rounds, spanCost, stolen().share);
  } finally {
    await other?.stop();
    version?.remove();
    collector.close();
  }
}

function withTraces(variant: Variant, settings: Record<string, string>): Measured {
  return {
    async measure(bookings, reads) {
      await traces.switchTo(variant.pids, settings);
      return variant.measure(bookings, reads);
    },
  };
}

type Measured = Pick<Variant, 'measure'>;

async function measureInTurns(
  variants: Record<string, Measured>,
  { rounds, bookings, reads }: Options,
): Promise<Rounds> {
  const entries = Object.entries(variants);
  const measured: Rounds = Object.fromEntries(entries.map(([name]) => [name, []]));
  log('Warming up');
  for (const [, variant] of entries) await variant.measure(WARM_UP.bookings, WARM_UP.reads);
  for (let round = 0; round < rounds; round += 1) {
    if (round % 10 === 0) log(`Round ${round + 1} of ${rounds}`);
    for (let turn = 0; turn < entries.length; turn += 1) {
      const [name, variant] = entries[(turn + round) % entries.length] as [string, Measured];
      measured[name]?.push(await variant.measure(bookings, reads));
    }
  }
  return measured;
}

async function writeResults(
  { out, ...options }: Options,
  rounds: Rounds,
  spanCost: SpanCost,
  stolenShare: number | undefined,
): Promise<void> {
  const results = { startedAt: new Date().toISOString(), machine: readMachine(), options };
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(
    out,
    `${JSON.stringify({ ...results, stolenShare, spanCost, rounds }, undefined, 2)}\n`,
  );
  console.log(`${toReport(rounds)}

CPU time of one span, alone in a process: ${spanCost.onUs.toFixed(1)} µs on, ${spanCost.offUs.toFixed(2)} µs off

The host's other guests used ${((stolenShare ?? 0) * 100).toFixed(1)} % of the machine.
The results are in ${out}`);
}
