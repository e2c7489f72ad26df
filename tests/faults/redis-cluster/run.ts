import { setTimeout as wait } from 'node:timers/promises';
import { queryRows } from '../invariants/query-rows.ts';
import { requestBooking } from '../load/operations.ts';
import { createRouterClient, type RouterClient } from '../load/router-client.ts';
import type { CustomerSlots } from '../load/slot-plan.ts';
import { Random } from '../random.ts';
import { describeMissed, startClients } from '../replicas/clients.ts';
import { describeViolations, type Load, prepareLoad } from '../replicas/load.ts';
import type { ReplicatedSystem } from '../replicas/replicated-system.ts';
import type { SubscriberTotals } from '../replicas/subscriber.ts';
import { waitUntil } from '../wait-until.ts';
import { type Blow, drawBlows } from './blows.ts';
import type { RedisCluster } from './cluster.ts';
import type { RedisClusterRunOptions } from './options.ts';
import { countAdmitted, countUntilExact, MUTATIONS_PER_MINUTE } from './rate-limit.ts';

/** How long customers keep a booking, relative to those of a rollout. */
const PATIENCE = 0.1;
const REGISTERED_TIMEOUT_SECONDS = 120;
const WARM_UP_REQUESTS = 60;
const REQUEST_TIMEOUT_MS = 90_000;

/** A fault and what clients saw of it. */
export interface BlowResult {
  name: string;
  description: string;
  from: number;
  to: number;
  /** From the fault until a booking that was requested right after it was registered. */
  registeredAfterMs: number;
  /** Mutations of one user that were admitted during the fault. */
  admitted: number;
}

export interface RedisClusterResult {
  load: Load;
  /** Before the first fault; not counted otherwise. */
  warmUp: { requests: number; failed: number };
  blows: BlowResult[];
  /** Mutations of one user that were admitted before all faults, and after them. */
  admittedBefore: number;
  admittedAfter: number;
  subscribers: SubscriberTotals;
  violations: string[];
}

interface RunDeps {
  log(line: string): void;
  signal: AbortSignal;
}

/** Moves slots and takes masters away while clients book, read and watch; then checks every invariant. */
export async function runRedisCluster(
  system: ReplicatedSystem,
  cluster: RedisCluster,
  options: RedisClusterRunOptions,
  { log, signal }: RunDeps,
): Promise<RedisClusterResult> {
  const load = await prepareLoad(system, 'redis-cluster', signal);
  const impatient = createRouterClient(system.url, system.tokenFor, 'customer', REQUEST_TIMEOUT_MS);
  const state = { isOver: false };
  const { totals, done: clients } = startClients(system, load, {
    ...options,
    name: 'redis-cluster',
    patience: PATIENCE,
    isRouterReplaced: () => false,
    isOver: () => state.isOver,
  });
  const probes = load.slots.slotsFor(options.subscribers, options.subscribers + 1);
  const work = async () => {
    await waitUntil('clients work', REGISTERED_TIMEOUT_SECONDS, async () => {
      signal.throwIfAborted();
      return load.requests.requests.length >= WARM_UP_REQUESTS;
    });
    const admittedBefore = await countUntilExact(impatient, 'impatient before');
    const warmUp = load.requests.startAgain();
    const blows: BlowResult[] = [];
    for (const blow of drawBlows(options.isShort)) {
      await wait(options.restSeconds * 1_000, undefined, { signal });
      blows.push(await strike(blow, { system, cluster, load, impatient, probes }));
      log(`${blow.name}: ${blows.at(-1)?.description}`);
    }
    const admittedAfter = await countUntilExact(impatient, 'impatient after');
    await wait(options.restSeconds * 1_000, undefined, { signal });
    return { warmUp, blows, admittedBefore, admittedAfter };
  };
  try {
    const done = await Promise.race([work(), clients]);
    if (!done) throw new Error('The clients ended before the faults.');
    state.isOver = true;
    await clients;
    log('waiting until no work is left, then checking every invariant');
    const violations = await describeViolations(system, load.records, {
      hasOlderViews: false,
      signal,
    });
    return { load, ...done, subscribers: totals, violations };
  } finally {
    state.isOver = true;
    await Promise.all([load.close(), impatient.close()]);
  }
}

async function strike(
  blow: Blow,
  deps: {
    system: ReplicatedSystem;
    cluster: RedisCluster;
    load: Load;
    impatient: RouterClient;
    probes: CustomerSlots;
  },
): Promise<BlowResult> {
  const { system, cluster, load, impatient, probes } = deps;
  let from = Number.NaN;
  let onStruck = () => {};
  const struck = new Promise<void>((resolve) => {
    onStruck = () => {
      from = performance.now();
      resolve();
    };
  });
  try {
    const [description, registeredAfterMs, admitted] = await Promise.all([
      blow.strike(cluster, onStruck),
      struck
        .then(() => bookUntilRegistered(system, load, probes, blow.name))
        .then(() => performance.now() - from),
      struck.then(() => countAdmitted(impatient, `impatient ${blow.name}`)),
    ]);
    return {
      ...{ name: blow.name, description, from, to: performance.now() },
      ...{ registeredAfterMs, admitted },
    };
  } finally {
    blow.heal();
  }
}

async function bookUntilRegistered(
  { postgres }: ReplicatedSystem,
  { router, records }: Load,
  slots: CustomerSlots,
  name: string,
): Promise<void> {
  const slot = slots.ownSlot(new Random(name));
  const input = { ...slot, headcount: 1, paymentMethod: 'pm_ok' };
  const outcome = await requestBooking(router, records, `probe ${name}`, name, input);
  if (outcome.kind !== 'ok') throw new Error(`The booking after "${name}" was not accepted.`);
  await waitUntil('the booking is registered', REGISTERED_TIMEOUT_SECONDS, async () => {
    const rows = await queryRows(
      postgres.urls.book,
      `SELECT FROM booking WHERE id = $1 AND status = 'REGISTERED'`,
      [outcome.bookingId],
    );
    return rows.length > 0;
  });
}

/** What went wrong, for people: nothing in a good run. */
export function findFailures(result: RedisClusterResult): string[] {
  const { load, blows, subscribers, violations, admittedBefore, admittedAfter } = result;
  const limit = MUTATIONS_PER_MINUTE;
  return [
    ...load.requests.failures.map(({ operation, failure }) => `request ${operation}: ${failure}`),
    ...describeMissed(subscribers),
    ...violations,
    ...[admittedBefore, admittedAfter]
      .filter((admitted) => admitted !== limit)
      .map((admitted) => `both routers together admitted ${admitted} mutations, not ${limit}`),
    ...blows
      .filter(({ admitted }) => admitted < limit || admitted > 2 * limit)
      .map(({ name, admitted }) => `${name}: ${admitted} mutations of one user were admitted`),
  ];
}
