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
import { openVariant, type Variant } from './variant.ts';

/** Node compiles what runs often: before that, a span costs ten times as much. */
const WARM_UP = { bookings: 300, reads: 2_000 };

await measureSystem(readOptions, measure);

/** All systems run at once; each round measures them one after the other, in an order that rotates. */
async function measure(off: System, options: Options): Promise<void> {
  const stolen = watchStolenTime();
  const collector = await startCollector();
  const started: System[] = [];
  let version: OtherVersion | undefined;
  const start = async (settings: Record<string, string>, root?: string) => {
    const system = await startSystem(undefined, settings, root);
    started.push(system);
    return openVariant(system);
  };
  try {
    log('Measuring spans alone');
    const spanCost = await measureSpanCost(collector.url, options.percent);
    if (options.against !== undefined) {
      log(`Building ${options.against}`);
      version = buildOtherVersion(options.against);
    }
    const before = version && (await start({}, version.root));
    const on = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: String(options.percent / 100),
    });
    const variants = {
      ...(before && { 'before traces': before }),
      'traces off': await openVariant(off),
      [`traces on, ${options.percent} %`]: on,
    };
    const rounds = await measureInTurns(variants, options);
    for (const variant of Object.values(variants)) await variant.close();
    await writeResults(options, rounds, spanCost, stolen().share);
  } finally {
    for (const system of started) await system.stop();
    version?.remove();
    collector.close();
  }
}

async function measureInTurns(
  variants: Record<string, Variant>,
  { rounds, bookings, reads }: Options,
): Promise<Rounds> {
  const entries = Object.entries(variants);
  const measured: Rounds = Object.fromEntries(entries.map(([name]) => [name, []]));
  log('Warming up');
  for (const [, variant] of entries) await variant.measure(WARM_UP.bookings, WARM_UP.reads);
  for (let round = 0; round < rounds; round += 1) {
    if (round % 10 === 0) log(`Round ${round + 1} of ${rounds}`);
    for (let turn = 0; turn < entries.length; turn += 1) {
      const [name, variant] = entries[(turn + round) % entries.length] as [string, Variant];
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
