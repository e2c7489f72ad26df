import { loadavg } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { ServiceName } from '../../../supervisor/src/services.ts';
import { countOutcomes, type Outcome, type Records } from '../load/records.ts';
import { startClients } from '../replicas/clients.ts';
import type { ServerCounters } from '../replicas/haproxy.ts';
import { describeViolations, prepareLoad } from '../replicas/load.ts';
import type { ReplicatedSystem } from '../replicas/replicated-system.ts';
import type { RequestLog } from '../replicas/request-log.ts';
import type { SubscriberTotals } from '../replicas/subscriber.ts';
import type { RolloutOptions } from './options.ts';
import { type Replacement, replaceRound } from './replacement.ts';

/** Before the measurement, for each reader: code that is not compiled yet is slow. */
const WARM_UP_REQUESTS = 20;
const WHOLE = { restMs: 8_000, replicas: Number.POSITIVE_INFINITY };
const SHORT = { restMs: 1_000, replicas: 1 };
/** How long a customer of the short form keeps a booking, relative to the whole one. */
const SHORT_PATIENCE = 0.1;
const PROGRESS_MS = 30_000;

export interface RolloutResult {
  /** Before the measurement; not counted otherwise. */
  warmUp: { requests: number; failed: number };
  requests: RequestLog;
  replacements: Replacement[];
  outcomes: Record<Outcome['kind'], number>;
  /** Bookings that were answered before the result of their payment was known. */
  deferred: number;
  subscribers: SubscriberTotals;
  counters: ServerCounters[];
  /** Violated invariants, for people. */
  violations: string[];
}

interface RolloutDeps {
  /** Their names; each replaces every process. */
  rounds: readonly string[];
  /** From its next start on, the replica runs this version. */
  upgrade(replica: string): void;
  /** Whether a release up to 0.2.0 ran at first. */
  hasOlderViews: boolean;
  log(line: string): void;
  signal: AbortSignal;
}

/** Replaces every process while clients book, read and watch; then checks every invariant. */
export async function runRollout(
  system: ReplicatedSystem,
  options: RolloutOptions,
  { rounds, upgrade, hasOlderViews, log, signal }: RolloutDeps,
): Promise<RolloutResult> {
  const state = { isRouterReplaced: false, isOver: false };
  const load = await prepareLoad(system, 'rollout', signal);
  const { requests, records } = load;
  const progress = setInterval(() => {
    const [load = 0] = loadavg();
    const { length } = requests.requests;
    log(`${length} requests, ${requests.failures.length} failed; load ${load.toFixed(0)}`);
  }, PROGRESS_MS);
  try {
    const clients = startClients(system, load, {
      ...options,
      name: 'rollout',
      patience: options.isShort ? SHORT_PATIENCE : 1,
      isRouterReplaced: () => state.isRouterReplaced,
      isOver: () => state.isOver,
    });
    const replacements: Replacement[] = [];
    let warmUp = { requests: 0, failed: 0 };
    const replace = async () => {
      const form = options.isShort ? SHORT : WHOLE;
      while (requests.requests.length < options.readers * WARM_UP_REQUESTS) {
        signal.throwIfAborted();
        await wait(100);
      }
      warmUp = requests.startAgain();
      log(`warmed up by ${warmUp.requests} requests, of which ${warmUp.failed} failed`);
      for (const round of rounds) {
        const deps = { system, upgrade, ...form, log, signal };
        const onService = (service: ServiceName | undefined) => {
          state.isRouterReplaced = service === 'router';
        };
        replacements.push(...(await replaceRound(deps, round, onService)));
      }
      while (requests.requests.length < options.requests) {
        signal.throwIfAborted();
        await wait(100);
      }
    };
    await Promise.race([replace(), clients.done]);
    log('every process is replaced; the subscribers cancel their bookings');
    state.isOver = true;
    await clients.done;
    signal.throwIfAborted();
    const counters = await system.haproxy.counters();
    log('waiting until no work is left, then checking every invariant');
    return {
      warmUp,
      requests,
      replacements,
      outcomes: countOutcomes(records),
      deferred: countDeferred(records),
      subscribers: clients.totals,
      counters,
      violations: await describeViolations(system, records, { hasOlderViews, signal }),
    };
  } finally {
    state.isOver = true;
    clearInterval(progress);
    await load.close();
  }
}

function countDeferred({ requests }: Records): number {
  return requests.filter(
    ({ outcome }) => outcome.kind === 'ok' && outcome.status === 'PAYMENT_DEFERRED',
  ).length;
}
