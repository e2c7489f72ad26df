import { setTimeout as wait } from 'node:timers/promises';
import { MAX_VIOLATIONS_PER_INVARIANT, type Violation } from './invariants/invariant.ts';
import { queryRows } from './invariants/query-rows.ts';
import { waitForQuiescence } from './invariants/quiescence.ts';
import type { Records } from './load/records.ts';
import type { ChaosSystem } from './system/chaos-system.ts';

const READY_TIMEOUT_MS = 60_000;
const QUIESCENCE_TIMEOUT_MS = 60_000;
/** The backoff before next attempts takes longer when it is not cut short. */
const UNHASTENED_QUIESCENCE_TIMEOUT_MS = 150_000;

/**
 * Heals every connection and waits until all processes are ready and nothing is unfinished. Returns
 * what did not recover. With `hasten` the backoff before next attempts is cut short.
 */
export async function recover(
  system: ChaosSystem,
  hasten: boolean,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Violation[]> {
  for (const proxy of system.proxies()) proxy.heal();
  const notReady = await waitUntilReady(system, signal);
  for (const name of notReady) log(`not ready: ${name}`);
  log(`the wait for processes is over${hasten ? '' : ', backoff is not cut short'}`);
  const { isQuiescent, unfinished } = await waitForQuiescence(system.postgres.urls, {
    timeoutMs: hasten ? QUIESCENCE_TIMEOUT_MS : UNHASTENED_QUIESCENCE_TIMEOUT_MS,
    hasten,
    signal,
  });
  for (const description of unfinished) log(`unfinished: ${description}`);
  const stuck = isQuiescent ? [] : unfinished.slice(0, MAX_VIOLATIONS_PER_INVARIANT);
  return [
    ...notReady.map((name) => lost('every process becomes ready again', name)),
    ...stuck.map((description) => lost('all work is finished before the timeout', description)),
  ];
}

/** Waits until book can accept bookings of every recorded space. */
export async function waitForCatalogue(
  system: { postgres: Pick<ChaosSystem['postgres'], 'urls'> },
  records: Records,
  signal: AbortSignal,
): Promise<void> {
  const ids = records.spaces.map(({ spaceId }) => spaceId);
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    signal.throwIfAborted();
    const found = await queryRows(
      system.postgres.urls.book,
      'SELECT FROM catalogue_space WHERE id = ANY($1::uuid[])',
      [ids],
    );
    if (found.length === ids.length) return;
    if (Date.now() > deadline)
      throw new Error("The spaces of a run do not reach book's catalogue.");
    await wait(50);
  }
}

/** Returns the names of the processes that are not ready at the timeout. */
async function waitUntilReady(system: ChaosSystem, signal: AbortSignal): Promise<string[]> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    signal.throwIfAborted();
    const ready = await Promise.all(system.processes.map((process) => process.isReady()));
    const notReady = system.processes.filter((_, index) => !ready[index]);
    if (notReady.length === 0 || Date.now() > deadline) return notReady.map(({ name }) => name);
    await wait(100);
  }
}

function lost(invariant: string, detail: string): Violation {
  return { invariant, kind: 'lost', subject: null, detail };
}
