import { setTimeout as wait } from 'node:timers/promises';
import { type Latencies, toLatencies } from '../../../bench/measurement/latencies.ts';
import type { ServiceName } from '../../../supervisor/src/services.ts';
import { Random } from '../random.ts';
import { actAsBooker } from '../replicas/booker.ts';
import { describeViolations, type Load, prepareLoad } from '../replicas/load.ts';
import { actAsReader } from '../replicas/reader.ts';
import type { ReplicatedSystem } from '../replicas/replicated-system.ts';
import type { ScaleOptions } from './options.ts';
import { readWork, type Work } from './replica-work.ts';

const COUNTS = [1, 2, 4] as const;
export const MAX_REPLICAS = Math.max(...COUNTS);
/** One of so many clients books and cancels, the others read. */
const CLIENTS_PER_BOOKER = 4;
/** After a start or a stop, until the measurement: code that is not compiled yet is slow. */
const SETTLE_MS = 10_000;

/** What was measured with this number of replicas of one service, and one replica of each other. */
export interface ScaleStep {
  service: ServiceName;
  replicas: number;
  requestsPerSecond: number;
  latencies: Latencies;
  /** CPU time of all services for each request of a client, in milliseconds. */
  cpuPerRequest: number;
  /** That of the service itself. */
  ownCpuPerRequest: number;
  /** Of each of its replicas in that time. */
  work: Work[];
}

export interface ScaleResult {
  steps: ScaleStep[];
  requests: number;
  bookings: number;
  /** Failed requests and violated invariants, for people. */
  failures: string[];
}

/** Measures 1, 2 and 4 replicas of each service in turn under the same load; then checks every invariant. */
export async function runScale(
  system: ReplicatedSystem,
  options: ScaleOptions,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<ScaleResult> {
  const load = await prepareLoad(system, 'scale', signal);
  let isOver = false;
  const clients = startClients(load, options.clients, () => isOver);
  try {
    const steps: ScaleStep[] = [];
    for (const service of options.services) {
      const replicas = system.replicas[service];
      for (const count of COUNTS) {
        const idle = replicas.slice(0, count).filter(({ pid }) => pid === undefined);
        await Promise.all(idle.map((replica) => system.start(replica, signal)));
        await wait(SETTLE_MS);
        signal.throwIfAborted();
        const step = await Promise.race([measure(system, load, service, options.seconds), clients]);
        if (!step) throw new Error('The clients ended before the measurement.');
        steps.push(step);
        log(`${service} × ${count}: ${step.requestsPerSecond.toFixed(0)} requests a second`);
      }
      await Promise.all(replicas.slice(1).map((replica) => replica.stop()));
    }
    isOver = true;
    await clients;
    log('waiting until no work is left, then checking every invariant');
    const violations = await describeViolations(system, load.records, {
      hasOlderViews: false,
      signal,
    });
    return {
      steps,
      requests: load.requests.requests.length,
      bookings: load.records.requests.filter(({ outcome }) => outcome.kind === 'ok').length,
      failures: [
        ...load.requests.failures.map(({ operation, failure }) => `${operation}: ${failure}`),
        ...violations,
      ],
    };
  } finally {
    isOver = true;
    await load.close();
  }
}

async function startClients(load: Load, count: number, isOver: () => boolean): Promise<undefined> {
  const random = new Random('scale');
  const bookerCount = Math.ceil(count / CLIENTS_PER_BOOKER);
  const clients = Array.from({ length: count }, (_, index) => {
    const name = `client ${index}`;
    const client = { random: random.fork(name), pauseMs: 0, isOver };
    if (index % CLIENTS_PER_BOOKER > 0) return actAsReader({ ...load, ...client });
    // Readers need no slots: with a share for them, bookers would have none left before the end of a run.
    const slots = load.slots.slotsFor(index / CLIENTS_PER_BOOKER, bookerCount);
    return actAsBooker({ ...client, name, load, slots });
  });
  await Promise.all(clients);
}

async function measure(
  system: ReplicatedSystem,
  { requests }: Load,
  service: ServiceName,
  seconds: number,
): Promise<ScaleStep> {
  const [from, before] = [performance.now(), await readWork(system)];
  await wait(seconds * 1_000);
  const [to, after] = [performance.now(), await readWork(system)];
  const done = [...after].map(([name, work]) => {
    const earlier = before.get(name) ?? { requests: 0, events: 0, cpuMs: 0 };
    return {
      name,
      requests: work.requests - earlier.requests,
      events: work.events - earlier.events,
      cpuMs: work.cpuMs - earlier.cpuMs,
    };
  });
  const own = done.filter(({ name }) => system.replicas[service].some((one) => one.name === name));
  const ended = requests.requests.filter(({ endedAt }) => endedAt > from && endedAt <= to);
  const perRequest = (some: typeof done) =>
    some.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / ended.length;
  return {
    service,
    replicas: own.length,
    requestsPerSecond: (ended.length / (to - from)) * 1_000,
    latencies: toLatencies(ended.map(({ startedAt, endedAt }) => endedAt - startedAt)),
    cpuPerRequest: perRequest(done),
    ownCpuPerRequest: perRequest(own),
    work: own.map(({ name: _, ...work }) => work),
  };
}
