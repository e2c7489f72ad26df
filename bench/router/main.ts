import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { projectFile } from '#platform/project.ts';
import type { ExecutorName } from '../../router/src/gateway.ts';
import { type Latencies, latenciesOf } from '../latencies.ts';
import { say } from '../measure-system.ts';
import { wholeNumber } from '../options.ts';
import { machine } from '../report.ts';
import { type Router, startRouter } from './routers.ts';

// The stock gateway reports its use; a benchmark is none.
process.env.APOLLO_TELEMETRY_DISABLED = 'true';

const ROUNDS = 4;
const WARM_UP_SECONDS = 3;
const NAMES: ExecutorName[] = ['stock', 'own'];

/** What one executor did in its rounds together. */
interface Measured {
  requestsPerSecond: number;
  /** The router's alone, Apollo Server included. */
  cpuMsPerRequest: number;
  latency: Latencies;
}

interface Count {
  milliseconds: number[];
  seconds: number;
  cpuMs: number;
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '8' },
    out: { type: 'string', default: join(projectFile('.spacerent'), 'bench-router.json') },
  },
});
const seconds = wholeNumber('--seconds', values.seconds, 1, 60);
const clients = wholeNumber('--clients', values.clients, 1, 256);

const subgraphs = fork(join(import.meta.dirname, 'subgraphs.js'));
const [urls] = (await once(subgraphs, 'message')) as [Record<string, string>];
const routers = Object.fromEntries(
  await Promise.all(NAMES.map(async (name) => [name, await startRouter(name, urls)])),
) as Record<ExecutorName, Router>;

const [stock, own] = await Promise.all(NAMES.map((name) => routers[name].ask()));
if (stock !== own)
  throw new Error('The executors do not answer alike: there is nothing to compare.');
say(`Both executors answer the same ${own?.length} characters`);

const counts: Record<ExecutorName, Count> = {
  stock: { milliseconds: [], seconds: 0, cpuMs: 0 },
  own: { milliseconds: [], seconds: 0, cpuMs: 0 },
};
for (const name of NAMES) await load(routers[name], WARM_UP_SECONDS);
// In turns, so that whatever else the machine does is shared by both.
for (let round = 1; round <= ROUNDS; round += 1) {
  for (const name of NAMES) {
    const { milliseconds, seconds: took, cpuMs } = await load(routers[name], seconds);
    counts[name].milliseconds.push(...milliseconds);
    counts[name].seconds += took;
    counts[name].cpuMs += cpuMs;
    say(`${name}: ${(milliseconds.length / took).toFixed(0)} requests per second`);
  }
}
await Promise.all(NAMES.map((name) => routers[name].stop()));
subgraphs.disconnect();

report();

/** Asks with all clients at once until the time is over. */
async function load(router: Router, seconds: number): Promise<Count> {
  const milliseconds: number[] = [];
  const started = performance.now();
  const cpu = process.cpuUsage();
  const end = started + seconds * 1_000;
  const client = async () => {
    for (let now = performance.now(); now < end; ) {
      await router.ask();
      const then = performance.now();
      milliseconds.push(then - now);
      now = then;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const { user, system } = process.cpuUsage(cpu);
  const took = (performance.now() - started) / 1_000;
  return { milliseconds, seconds: took, cpuMs: (user + system) / 1_000 };
}

function measured({ milliseconds, seconds, cpuMs }: Count): Measured {
  return {
    requestsPerSecond: milliseconds.length / seconds,
    cpuMsPerRequest: cpuMs / milliseconds.length,
    latency: latenciesOf(milliseconds),
  };
}

function report(): void {
  const [stock, own] = [measured(counts.stock), measured(counts.own)];
  const ratios = {
    requestsPerSecond: own.requestsPerSecond / stock.requestsPerSecond,
    cpu: stock.cpuMsPerRequest / own.cpuMsPerRequest,
    p50: stock.latency.p50 / own.latency.p50,
  };
  const out = resolve(values.out);
  const results = { options: { seconds, clients }, machine: machine(), stock, own, ratios };
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(results, undefined, 2)}\n`);
  const row = (name: string, a: number, b: number, ratio: number) =>
    console.log(
      `${name.padEnd(32)}${a.toFixed(2).padStart(10)}${b.toFixed(2).padStart(10)}${`${ratio.toFixed(2)} ×`.padStart(10)}`,
    );
  console.log(
    `\n${''.padEnd(32)}${'stock'.padStart(10)}${'own'.padStart(10)}${'better'.padStart(10)}`,
  );
  row(
    'requests per second',
    stock.requestsPerSecond,
    own.requestsPerSecond,
    ratios.requestsPerSecond,
  );
  row('CPU time per request, ms', stock.cpuMsPerRequest, own.cpuMsPerRequest, ratios.cpu);
  row('p50, ms', stock.latency.p50, own.latency.p50, ratios.p50);
  console.log(`\nThe results are in ${out}`);
}
