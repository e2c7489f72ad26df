import { setTimeout as wait } from 'node:timers/promises';
import { type PlannedFault, planFaults } from './fault-catalogue/catalogue.ts';
import { judge, TOLD, type Truth, type Violation } from './invariants/check-invariants.ts';
import { rows } from './invariants/query-rows.ts';
import { untilQuiet } from './invariants/quiescence.ts';
import { customer } from './load/customer.ts';
import { listSpace } from './load/operations.ts';
import { Records } from './load/records.ts';
import { routerClient } from './load/router-client.ts';
import { openMarket } from './load/slot-plan.ts';
import { Random } from './random.ts';
import type { ChaosSystem } from './system/chaos-system.ts';

const CUSTOMERS = 12;
const READY_WITHIN_MS = 60_000;
const QUIET_WITHIN_MS = 60_000;
/** Nobody cuts their pauses short: so it takes longer. */
const PATIENT_QUIET_WITHIN_MS = 150_000;

export interface RunResult {
  seed: number;
  /** The faults that hit something, and those that came when there was nothing to hit. */
  hits: string[];
  misses: string[];
  /** For people, in the order in which they came. */
  told: string[];
  bookings: number;
  answers: Record<'ok' | 'refused' | 'unknown', number>;
  violations: Violation[];
  seconds: number;
}

/**
 * One run on a system that is well: customers book while faults come, faults are healed, things get
 * quiet, everything is checked. Everything random is drawn from the seed.
 */
export async function run(
  system: ChaosSystem,
  options: { seed: number; only: string | undefined; seconds: number; allViews: boolean },
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<RunResult> {
  const startedAt = new Date();
  const random = new Random(String(options.seed));
  const records = new Records();
  const customers = routerClient(system.routerUrl, system.tokenOf);
  const hosts = routerClient(system.routerUrl, system.tokenOf, 'host');
  const planned = planFaults(random.fork('faults'), system, {
    only: options.only,
    loadMs: options.seconds * 1_000,
  });
  // Now and then nobody cuts the pauses before next attempts short: they must end by themselves.
  const isPatient = random.fork('patience').chance(0.1);
  try {
    const market = await openMarket(hosts, records, `run ${options.seed}`);
    await untilBookKnows(system, records, signal);

    const endAt = Date.now() + lengthOf(planned, options.seconds * 1_000);
    const load = Array.from({ length: CUSTOMERS }, (_, index) =>
      customer({
        name: `customer ${options.seed}-${index}`,
        random: random.fork(`customer ${index}`),
        router: customers,
        records,
        seat: market.seat(index, CUSTOMERS),
        isOver: () => Date.now() > endAt || signal.aborted,
      }),
    );
    const injected = planned.map((fault) => inject(fault, system, say));
    await Promise.all([...load, listMeanwhile(), ...injected]);
    signal.throwIfAborted();
    const outcomes = await Promise.all(injected);

    say('the load is over');
    const stuck = await settle(system, isPatient, say, signal);
    say('it is quiet');
    const truth: Truth = {
      adminUrl: system.postgres.adminUrl,
      databases: system.postgres.urls,
      viewsUrl: system.viewsUrl,
    };
    const violations = await judge(truth, records, options.allViews ? new Date(0) : startedAt);
    const ids = new Set(
      records.requests.flatMap(({ outcome }) =>
        outcome.kind === 'unknown' ? [] : (outcome.bookingId ?? []),
      ),
    );
    return {
      seed: options.seed,
      hits: outcomes.filter(({ hit }) => hit).map(({ name }) => name),
      misses: outcomes.filter(({ hit }) => !hit).map(({ name }) => name),
      told: planned.map(({ atMs, injection }) => `${atMs} ms: ${injection.what}`),
      bookings: ids.size,
      answers: countAnswers(records),
      violations: [...stuck, ...violations],
      seconds: (Date.now() - startedAt.getTime()) / 1_000,
    };
  } finally {
    await Promise.all([customers.close(), hosts.close()]);
  }

  /** A space that is listed while things break must be bookable afterwards, too. */
  async function listMeanwhile(): Promise<void> {
    await wait(options.seconds * 500);
    const name = `run ${options.seed} late room`;
    const spaceId = await listSpace(hosts, 'host', name, 5_000);
    if (spaceId) records.listings.push({ spaceId, name });
  }
}

function lengthOf(planned: readonly PlannedFault[], loadMs: number): number {
  const ends = planned.map(({ atMs, injection }) => atMs + injection.ms + 300);
  return Math.max(loadMs, ...ends);
}

async function inject(
  { name, atMs, injection }: PlannedFault,
  system: ChaosSystem,
  say: (line: string) => void,
): Promise<{ name: string; hit: boolean }> {
  await wait(atMs);
  say(`fault: ${injection.what}`);
  // What is down already, by another fault, cannot be hit.
  const hit = await injection.run(system).catch((error: Error) => {
    say(`fault ${name} did not work: ${error.message}`);
    return false;
  });
  say(`fault over: ${injection.what}`);
  return { name, hit };
}

/** Heals everything and waits until all is ready and quiet; answers what is still stuck. */
export async function settle(
  system: ChaosSystem,
  isPatient: boolean,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Violation[]> {
  for (const proxy of system.proxies()) proxy.heal();
  const late = await untilReady(system, signal);
  for (const name of late) say(`not ready: ${name}`);
  say(
    isPatient
      ? 'the wait for processes is over, nothing is hastened'
      : 'the wait for processes is over',
  );
  const { isQuiet, stuck } = await untilQuiet(system.postgres.urls, {
    withinMs: isPatient ? PATIENT_QUIET_WITHIN_MS : QUIET_WITHIN_MS,
    hasten: !isPatient,
    signal,
  });
  const violation = (invariant: string, detail: string): Violation => ({
    invariant,
    kind: 'lost',
    culprit: null,
    detail,
  });
  for (const what of stuck) say(`stuck: ${what}`);
  return [
    ...late.map((name) => violation('every process gets ready again', name)),
    ...(isQuiet ? [] : stuck.slice(0, TOLD).map((what) => violation('things get quiet', what))),
  ];
}

async function untilReady(system: ChaosSystem, signal: AbortSignal): Promise<string[]> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    signal.throwIfAborted();
    const ready = await Promise.all(system.processes.map((each) => each.isReady()));
    const late = system.processes.filter((_, index) => !ready[index]);
    if (late.length === 0 || Date.now() > deadline) return late.map(({ name }) => name);
    await wait(100);
  }
}

export async function untilBookKnows(
  system: ChaosSystem,
  records: Records,
  signal: AbortSignal,
): Promise<void> {
  const ids = records.listings.map(({ spaceId }) => spaceId);
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    signal.throwIfAborted();
    const known = await rows(
      system.postgres.urls.book,
      'SELECT FROM catalogue_space WHERE id = ANY($1::uuid[])',
      [ids],
    );
    if (known.length === ids.length) return;
    if (Date.now() > deadline) throw new Error('Book does not learn of the spaces of a new run.');
    await wait(50);
  }
}

export function countAnswers(records: Records): RunResult['answers'] {
  const answers = { ok: 0, refused: 0, unknown: 0 };
  for (const { outcome } of [...records.requests, ...records.cancels]) answers[outcome.kind] += 1;
  return answers;
}
