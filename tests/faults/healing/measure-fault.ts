import { setTimeout as wait } from 'node:timers/promises';
import { waitForQuiescence } from '../invariants/quiescence.ts';
import { describeViolations, type Load, type LoadedSystem } from '../replicas/load.ts';
import type { Clients } from './clients.ts';
import { type Fault, REPAIR_TIMEOUT_MS } from './fault.ts';
import { OPERATIONS, type Operation, type Summary, summarize } from './summary.ts';

/** Responses to each operation before the fault, and after the last failure. */
const RESPONSES = 3;
/** So long no request may fail before the clients are stopped. */
const QUIET_MS = 5_000;
const POLL_MS = 50;

/** A system that clients use while faults happen to it. */
export interface MeasuredSystem extends LoadedSystem {
  /** How it was started, for people. */
  name: string;
  load: Load;
  clients: Clients;
}

/** What came of one fault. */
export interface FaultResult extends Summary, Pick<Fault, 'group' | 'what' | 'target'> {
  system: string;
  repairedBy: string;
  /** From the fault until what failed was there again; undefined: it did not come back. */
  repairedAfterSeconds: number | undefined;
  /** After the clients have stopped, until no work was left. */
  settledAfterSeconds: number | undefined;
  /** Bookings that were accepted although the result of their payment was not known. */
  deferred: number;
  /** What went on without the clients' noticing, for people. */
  notes: string[];
  /** Violated invariants and what did not heal, for people. */
  wrong: string[];
}

export interface Measuring {
  log(line: string): void;
  signal: AbortSignal;
}

/**
 * Performs a fault while clients act, waits until no request fails any more, stops the clients, and checks every
 * invariant. `repaired` settles when what failed is there again: later than the result, where the fault allows it.
 */
export async function measureFault(
  system: MeasuredSystem,
  fault: Fault,
  { log, signal }: Measuring,
): Promise<{ result: FaultResult; repaired: Promise<void> }> {
  const { load, clients } = system;
  const { requests } = load.requests;
  const title = `${fault.what}, ${fault.target}`;
  const startedAt = performance.now();
  let isOver = false;
  const acting = clients.act(`${system.name}: ${title}`, () => isOver);
  // Awaited below; until then an error of theirs must not end the process.
  acting.catch(() => {});
  try {
    const from = { requests: requests.length, records: load.records.requests.length };
    await until(
      () => hasResponses(load, startedAt),
      'the clients are served before the fault',
      signal,
    );
    log(`${title}: happens`);
    const injectedAt = performance.now();
    await fault.inject();
    const result: FaultResult = {
      ...{ system: system.name, group: fault.group, what: fault.what, target: fault.target },
      ...{
        repairedBy: fault.repairedBy,
        repairedAfterSeconds: undefined,
        settledAfterSeconds: undefined,
        deferred: 0,
      },
      ...{ notes: [], wrong: [], ...summarize([], injectedAt) },
    };
    const repaired = repair(fault, result, injectedAt, signal);
    await (fault.untilContained?.(signal) ?? repaired);
    await untilQuiet(load, injectedAt, signal).catch((error: Error) =>
      result.wrong.push(error.message),
    );
    isOver = true;
    await acting;
    Object.assign(result, summarize(requests.slice(from.requests), injectedAt));
    result.deferred = load.records.requests
      .slice(from.records)
      .filter(
        ({ outcome }) => outcome.kind === 'ok' && outcome.status === 'PAYMENT_DEFERRED',
      ).length;
    log(
      `${title}: ${result.failed} of ${result.requests} requests failed; checking every invariant`,
    );
    await check(system, fault, result, signal);
    return { result, repaired };
  } finally {
    isOver = true;
  }
}

async function check(
  system: MeasuredSystem,
  fault: Fault,
  result: FaultResult,
  signal: AbortSignal,
): Promise<void> {
  if (!fault.losesData) await checkInvariants(system, result, signal);
  try {
    result.notes.push(...((await fault.inspect?.()) ?? []));
  } catch (error) {
    signal.throwIfAborted();
    result.wrong.push((error as Error).message);
  }
}

/** Waits until no work is left, and checks every invariant. */
async function checkInvariants(
  system: MeasuredSystem,
  result: FaultResult,
  signal: AbortSignal,
): Promise<void> {
  const { records } = system.load;
  const stoppedAt = performance.now();
  await waitForQuiescence(system.postgres.urls, {
    timeoutMs: REPAIR_TIMEOUT_MS,
    hasten: false,
    signal,
  });
  result.settledAfterSeconds = (performance.now() - stoppedAt) / 1_000;
  result.wrong.push(
    ...(await describeViolations(system, records, { hasOlderViews: false, signal })),
  );
}

/** Writes into the result when what failed is there again, or that it did not come back. */
async function repair(
  fault: Fault,
  result: FaultResult,
  injectedAt: number,
  signal: AbortSignal,
): Promise<void> {
  const timeout = AbortSignal.timeout(REPAIR_TIMEOUT_MS);
  try {
    await fault.untilRepaired(AbortSignal.any([signal, timeout]));
    result.repairedAfterSeconds = (performance.now() - injectedAt) / 1_000;
  } catch (error) {
    signal.throwIfAborted();
    const reason = timeout.aborted ? `not within ${REPAIR_TIMEOUT_MS / 1_000} s` : error;
    result.wrong.push(`${fault.target} did not come back: ${reason}`);
  }
}

/** Until no request has failed for a while, and every operation has been responded to since. */
async function untilQuiet(load: Load, injectedAt: number, signal: AbortSignal): Promise<void> {
  const repairedAt = performance.now();
  await until(
    () => {
      const lastFailure = load.requests.requests.findLast(({ failure }) => failure !== undefined);
      const since = Math.max(injectedAt, repairedAt, lastFailure?.endedAt ?? 0);
      return performance.now() > since + QUIET_MS && hasResponses(load, since);
    },
    'no request fails any more',
    signal,
  );
}

function hasResponses({ requests: { requests } }: Load, since: number): boolean {
  const counts = new Map<string, number>();
  for (const { operation, failure, startedAt } of requests) {
    if (failure === undefined && startedAt >= since) {
      counts.set(operation, (counts.get(operation) ?? 0) + 1);
    }
  }
  const operations = Object.keys(OPERATIONS) as Operation[];
  return operations.every((operation) => (counts.get(operation) ?? 0) >= RESPONSES);
}

async function until(condition: () => boolean, what: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + REPAIR_TIMEOUT_MS;
  while (!condition()) {
    signal.throwIfAborted();
    if (performance.now() > deadline) {
      throw new Error(`Not true after ${REPAIR_TIMEOUT_MS / 1_000} s: ${what}.`);
    }
    await wait(POLL_MS);
  }
}
