import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ExecutorName } from '../../router/src/executor/gateway.ts';
import { type Latencies, toLatencies } from '../measurement/latencies.ts';
import { readMachine } from '../measurement/machine.ts';
import { resultsFile, wholeNumber } from '../options.ts';
import { log } from '../system/measure-system.ts';
import { type Router, startRouter, type Transport } from './routers.ts';

// The stock gateway reports its use to Apollo; a benchmark must not be counted.
process.env.APOLLO_TELEMETRY_DISABLED = 'true';

const ROUNDS = 3;
const WARM_UP_SECONDS = 2;
const NAMES: ExecutorName[] = ['stock', 'own'];

/** The results of all rounds of one executor. */
interface Measured {
  requestsPerSecond: number;
  /** The router's alone, Apollo Server included. */
  cpuMsPerRequest: number;
  latency: Latencies;
}

interface Comparison {
  stock: Measured;
  own: Measured;
  /** The own executor's advantage; above 1 it is better. */
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

const subgraphs = fork(join(import.meta.dirname, 'subgraphs.js'));
const [urls] = (await once(subgraphs, 'message')) as [Record<string, string>];
const http = await compare('http');
const memory = await compare('memory');
subgraphs.disconnect();

const out = resultsFile(values.out, 'bench-router.json');
const results = { options: { seconds, clients }, machine: readMachine(), http, memory };
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, `${JSON.stringify(results, undefined, 2)}\n`);
show('subgraphs reached over HTTP', http);
show('subgraphs respond from memory', memory);
console.log(`\nThe results are in ${out}`);

/** Measures both executors in turns, so that other load on the machine affects both. */
async function compare(transport: Transport): Promise<Comparison> {
  const routers = Object.fromEntries(
    await Promise.all(NAMES.map(async (name) => [name, await startRouter(name, transport, urls)])),
  ) as Record<ExecutorName, Router>;
  const [first, second] = await Promise.all(NAMES.map((name) => routers[name].execute()));
  if (first !== second) throw new Error('The executors respond differently.');

  const counts: Record<ExecutorName, Count> = {
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
      log(`${transport}, ${name}: ${rate} requests per second`);
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
  const cpu = process.cpuUsage();
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
  const { user, system } = process.cpuUsage(cpu);
  const elapsed = (performance.now() - started) / 1_000;
  return { milliseconds, seconds: elapsed, cpuMs: (user + system) / 1_000 };
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
