import { setTimeout as wait } from 'node:timers/promises';
import { type PlannedFault, planFaults } from './fault-catalogue/catalogue.ts';
import { findViolations } from './invariants/check-invariants.ts';
import type { Violation } from './invariants/invariant.ts';
import { actAsCustomer } from './load/customer.ts';
import { actAsHost } from './load/host.ts';
import { listSpace } from './load/operations.ts';
import { actAsOperator } from './load/operator.ts';
import { countOutcomes, describeChanges, type Outcome, Records } from './load/records.ts';
import { createRouterClient, type RouterClient } from './load/router-client.ts';
import { createSlotPlan } from './load/slot-plan.ts';
import { Random } from './random.ts';
import { recover, waitForCatalogue } from './recovery.ts';
import { type ChaosSystem, databaseUrls } from './system/chaos-system.ts';

const CUSTOMER_COUNT = 12;

export interface RunResult {
  seed: number;
  /** The names of the faults that had an effect. */
  hits: string[];
  /** The names of the faults that found nothing to affect. */
  misses: string[];
  /** Descriptions of all faults for people, in the order of their injection. */
  faults: string[];
  /** The number of distinct bookings in the responses. */
  bookings: number;
  /** The number of distinct changes in the responses that were applied. */
  changes: number;
  outcomes: Record<Outcome['kind'], number>;
  violations: Violation[];
  seconds: number;
}

interface RunOptions {
  seed: number;
  only: string | undefined;
  seconds: number;
  /** Compares the views of all bookings, not only those of this run. */
  compareAllViews: boolean;
}

/**
 * One run on a healthy system: customers book while faults are injected; then the system recovers
 * and every invariant is checked. All random choices depend on the seed.
 */
export async function run(
  system: ChaosSystem,
  options: RunOptions,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<RunResult> {
  const startedAt = new Date();
  const random = new Random(String(options.seed));
  const records = new Records();
  const customers = createRouterClient(system.routerUrl, system.tokenFor);
  const hosts = createRouterClient(system.routerUrl, system.tokenFor, 'host');
  const operators = createRouterClient(system.routerUrl, system.tokenFor, 'operator');
  const planned = planFaults(random.fork('faults'), system, {
    only: options.only,
    loadMs: options.seconds * 1_000,
  });
  // In one run of ten the backoff must end by itself.
  const hasten = !random.fork('patience').chance(0.1);
  try {
    const slotPlan = await createSlotPlan(hosts, records, `run ${options.seed}`);
    await waitForCatalogue(system, records, signal);

    const endAt = Date.now() + loadDuration(planned, options.seconds * 1_000);
    const isOver = () => Date.now() > endAt || signal.aborted;
    const load = Array.from({ length: CUSTOMER_COUNT }, (_, index) =>
      actAsCustomer({
        name: `customer ${options.seed}-${index}`,
        random: random.fork(`customer ${index}`),
        router: customers,
        records,
        slots: slotPlan.slotsFor(index, CUSTOMER_COUNT),
        changesBookings: true,
        isOver,
      }),
    );
    const host = actAsHost({
      name: 'host',
      random: random.fork('host'),
      router: hosts,
      records,
      slots: slotPlan.slotsFor(0, CUSTOMER_COUNT),
      isOver,
    });
    const operator = actAsOperator({
      name: `operator ${options.seed}`,
      random: random.fork('operator'),
      router: operators,
      records,
      isOver,
    });
    const injecting = planned.map((fault) => inject(fault, system, log));
    await Promise.all([
      ...load,
      host,
      operator,
      listSpaceDuringFaults(hosts, records, options),
      ...injecting,
    ]);
    signal.throwIfAborted();
    const injected = await Promise.all(injecting);

    log(`the load is over: ${describeChanges(records)}`);
    const notRecovered = await recover(system, hasten, log, signal);
    log('the system is quiescent');
    const since = options.compareAllViews ? new Date(0) : startedAt;
    const violations = await findViolations(databaseUrls(system), records, since);
    return {
      seed: options.seed,
      hits: injected.filter(({ hit }) => hit).map(({ name }) => name),
      misses: injected.filter(({ hit }) => !hit).map(({ name }) => name),
      faults: planned.map(({ atMs, injection }) => `${atMs} ms: ${injection.description}`),
      bookings: countBookings(records),
      changes: countChanges(records),
      outcomes: countOutcomes(records),
      violations: [...notRecovered, ...violations],
      seconds: (Date.now() - startedAt.getTime()) / 1_000,
    };
  } finally {
    await Promise.all([customers, hosts, operators].map((client) => client.close()));
  }
}

/** A space that is listed during faults must reach book's catalogue, too. */
async function listSpaceDuringFaults(
  hosts: RouterClient,
  records: Records,
  { seed, seconds }: RunOptions,
): Promise<void> {
  await wait(seconds * 500);
  const name = `run ${seed} late room`;
  const spaceId = await listSpace(hosts, 'host', { name, hourlyRate: 5_000 });
  if (spaceId) records.spaces.push({ spaceId, name });
}

/** The load lasts until all faults are over. */
function loadDuration(planned: readonly PlannedFault[], minimumMs: number): number {
  const ends = planned.map(({ atMs, injection }) => atMs + injection.durationMs + 300);
  return Math.max(minimumMs, ...ends);
}

async function inject(
  { name, atMs, injection }: PlannedFault,
  system: ChaosSystem,
  log: (line: string) => void,
): Promise<{ name: string; hit: boolean }> {
  await wait(atMs);
  log(`fault: ${injection.description}`);
  // Another fault may have stopped the target already.
  const hit = await injection.run(system).catch((error: Error) => {
    log(`fault ${name} failed: ${error.message}`);
    return false;
  });
  log(`fault over: ${injection.description}`);
  return { name, hit };
}

function countBookings(records: Records): number {
  const ids = records.requests.flatMap(({ outcome }) =>
    outcome.kind === 'unknown' ? [] : (outcome.bookingId ?? []),
  );
  return new Set(ids).size;
}

function countChanges({ reschedules }: Records): number {
  const ids = reschedules.flatMap(({ outcome }) =>
    outcome.kind === 'ok' && outcome.state === 'APPLIED' ? [outcome.changeId] : [],
  );
  return new Set(ids).size;
}
