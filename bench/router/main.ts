import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Latencies, toLatencies } from '../measurement/latencies.ts';
import { readMachine } from '../measurement/machine.ts';
import { resultsFile, wholeNumber } from '../options.ts';
import { log } from '../system/measure-system.ts';
import { startFederation } from './federation.ts';
import { measurePreparation } from './preparation.ts';
import { type Router, type RouterName, startExecutor } from './routers.ts';
import { startServer } from './servers.ts';

// The stock gateway reports its use to Apollo; a benchmark must not be counted.
process.env.APOLLO_TELEMETRY_DISABLED = 'true';

const ROUNDS = 3;
const WARM_UP_SECONDS = 2;
const NAMES: RouterName[] = ['stock', 'own'];

/** The results of all rounds of one router. */
interface Measured {
  requestsPerSecond: number;
  /** Of the process in which the router runs. */
  cpuMsPerRequest: number;
  latency: Latencies;
}

interface Comparison {
  stock: Measured;
  own: Measured;
  /** The own router's advantage; above 1 it is better. */
  ratios: { requestsPerSecond: number; cpu: number; p50: number };
}

interface Count {
  milliseconds: number[];
  seconds: number;
  cpuMs: number;
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '8' },
    out: { type: 'string' },
  },
});
const seconds = wholeNumber('--seconds', values.seconds, 1, 60);
const clients = wholeNumber('--clients', values.clients, 1, 256);

const federation = await startFederation();
const folder = mkdtempSync(join(tmpdir(), 'spacerent-bench-router-'));
const supergraph = join(folder, 'supergraph.graphql');
writeFileSync(supergraph, federation.supergraphSdl);

const preparation = measurePreparation(federation);
const edge = await compare('whole routers', (name) => startServer(name, supergraph));
const executors = await compare('executors', (name) => startExecutor(name, federation));
federation.stop();
rmSync(folder, { recursive: true });

const out = resultsFile(values.out, 'bench-router.json');
const results = {
  options: { seconds, clients },
  machine: readMachine(),
  edge,
  executors,
  preparation,
};
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, `${JSON.stringify(results, undefined, 2)}\n`);
show('whole routers, over HTTP', edge);
show('executors, in memory', executors);
const { p50, p99, max } = preparation;
console.log(
  `\npreparation of 100 fields, ms     ${p50.toFixed(1)} at the median, ${p99.toFixed(1)} at the 99th percentile, ${max.toFixed(1)} at most`,
);
console.log(`\nThe results are in ${out}`);

/** Measures both routers in turns, so that other load on the machine affects both. */
async function compare(
  title: string,
  start: (name: RouterName) => Promise<Router>,
): Promise<Comparison> {
  const routers = Object.fromEntries(
    await Promise.all(NAMES.map(async (name) => [name, await start(name)])),
  ) as Record<RouterName, Router>;
  const [first, second] = await Promise.all(NAMES.map((name) => routers[name].execute()));
  if (first?.trim() !== second?.trim()) throw new Error('The routers respond differently.');

  const counts: Record<RouterName, Count> = {
    stock: { milliseconds: [], seconds: 0, cpuMs: 0 },
    own: { milliseconds: [], seconds: 0, cpuMs: 0 },
  };
  for (const name of NAMES) await load(routers[name], WARM_UP_SECONDS);
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const name of NAMES) {
      const { milliseconds, seconds: elapsed, cpuMs } = await load(routers[name], seconds);
      counts[name].milliseconds.push(...milliseconds);
      counts[name].seconds += elapsed;
      counts[name].cpuMs += cpuMs;
      const rate = (milliseconds.length / elapsed).toFixed(0);
      log(`${title}, ${name}: ${rate} requests per second`);
    }
  }
  await Promise.all(NAMES.map((name) => routers[name].stop()));

  const [stock, own] = [measured(counts.stock), measured(counts.own)];
  const ratios = {
    requestsPerSecond: own.requestsPerSecond / stock.requestsPerSecond,
    cpu: stock.cpuMsPerRequest / own.cpuMsPerRequest,
    p50: stock.latency.p50 / own.latency.p50,
  };
  return { stock, own, ratios };
}

/** All clients send requests until the time is over. */
async function load(router: Router, seconds: number): Promise<Count> {
  const milliseconds: number[] = [];
  const started = performance.now();
  const cpuBefore = router.cpuMs();
  const end = started + seconds * 1_000;
  const client = async () => {
    for (let now = performance.now(); now < end; ) {
      await router.execute();
      const then = performance.now();
      milliseconds.push(then - now);
      now = then;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const elapsed = (performance.now() - started) / 1_000;
  return { milliseconds, seconds: elapsed, cpuMs: router.cpuMs() - cpuBefore };
}

function measured({ milliseconds, seconds, cpuMs }: Count): Measured {
  return {
    requestsPerSecond: milliseconds.length / seconds,
    cpuMsPerRequest: cpuMs / milliseconds.length,
    latency: toLatencies(milliseconds),
  };
}

function show(title: string, { stock, own, ratios }: Comparison): void {
  const row = (name: string, ...cells: string[]) =>
    console.log(name.padEnd(32) + cells.map((cell) => cell.padStart(10)).join(''));
  const compared = (name: string, a: number, b: number, ratio: number) =>
    row(name, a.toFixed(2), b.toFixed(2), `${ratio.toFixed(2)} ×`);
  console.log();
  row(title, 'stock', 'own', 'better');
  const { requestsPerSecond, cpu, p50 } = ratios;
  compared(
    'requests per second',
    stock.requestsPerSecond,
    own.requestsPerSecond,
    requestsPerSecond,
  );
  compared('CPU time per request, ms', stock.cpuMsPerRequest, own.cpuMsPerRequest, cpu);
  compared('p50, ms', stock.latency.p50, own.latency.p50, p50);
}
