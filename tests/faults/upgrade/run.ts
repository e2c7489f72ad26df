import { join } from 'node:path';
import { findViolations } from '../invariants/check-invariants.ts';
import { MAX_VIOLATIONS_PER_INVARIANT, type Violation } from '../invariants/invariant.ts';
import { actAsCustomer } from '../load/customer.ts';
import { countOutcomes, type Outcome, Records } from '../load/records.ts';
import { createRouterClient } from '../load/router-client.ts';
import { createSlotPlan } from '../load/slot-plan.ts';
import { Random } from '../random.ts';
import { recover, waitForCatalogue } from '../recovery.ts';
import { type ChaosSystem, databaseUrls } from '../system/chaos-system.ts';
import { findParkedEvents } from './parked-events.ts';
import { findSchemaErrors } from './schema-errors.ts';
import { planSteps, type Version } from './steps.ts';
import { UnexplainedFailures } from './unexplained-failures.ts';

/** Without longer pauses even two keep two cores busy, and each start of a process waits for them. */
const CUSTOMERS = { short: { count: 3, pauseFactor: 6 }, whole: { count: 8, pauseFactor: 1 } };

export interface UpgradeResult {
  steps: number;
  outcomes: Record<Outcome['kind'], number>;
  violations: Violation[];
}

/** Upgrades, rolls back and upgrades again while customers book; then checks every invariant. */
export async function runUpgrade(
  system: ChaosSystem,
  options: {
    seed: number;
    isShort: boolean;
    setVersion(process: string, version: Version): void;
    /** The supervisor's log lines about processes that ended unexpectedly so far. */
    unexpectedEnds(): string[];
  },
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<UpgradeResult> {
  const random = new Random(String(options.seed));
  const records = new Records();
  const failures = new UnexplainedFailures();
  const customers = createRouterClient(system.routerUrl, system.tokenFor);
  const hosts = createRouterClient(system.routerUrl, system.tokenFor, 'host');
  const { count, pauseFactor } = CUSTOMERS[options.isShort ? 'short' : 'whole'];
  let isOver = false;
  try {
    const slotPlan = await createSlotPlan(hosts, records, 'upgrade', { withTerms: false });
    await waitForCatalogue(system, records, signal);
    const router = failures.watch(customers);
    const load = Promise.all(
      Array.from({ length: count }, (_, index) =>
        actAsCustomer({
          name: `customer ${index}`,
          random: random.fork(`customer ${index}`),
          router,
          records,
          slots: slotPlan.slotsFor(index, count),
          changesBookings: false,
          pauseFactor,
          isOver: () => isOver || signal.aborted,
        }),
      ),
    );
    load.catch(() => {});
    const steps = planSteps(system, options.setVersion, options.isShort);
    for (const [index, { description, run }] of steps.entries()) {
      signal.throwIfAborted();
      await failures.expectDuring(() => Promise.race([run(), load]));
      const { ok, refused, unknown } = countOutcomes(records);
      log(
        `${index + 1}/${steps.length} ${description} | ${ok} ok, ${refused} refused, ${unknown} unknown`,
      );
    }
    isOver = true;
    await load;
    signal.throwIfAborted();
    log('the load is over, waiting until the system is quiescent');
    const violations = [
      ...(await recover(system, true, log, signal)),
      ...(await findViolations(databaseUrls(system), records, new Date(0), {
        hasOlderViews: true,
      })),
      ...unexpected('no event is parked by mypage', await findParkedEvents(system.viewsUrl)),
      ...unexpected(
        'no process logs an error about the schema',
        findSchemaErrors(join(system.home, 'logs')),
      ),
      ...unexpected('no process ends unexpectedly', options.unexpectedEnds()),
      ...unexpected('requests fail only while a process is replaced', failures.messages),
    ];
    return { steps: steps.length, outcomes: countOutcomes(records), violations };
  } finally {
    isOver = true;
    await Promise.all([customers.close(), hosts.close()]);
  }
}

function unexpected(invariant: string, details: readonly string[]): Violation[] {
  return details
    .slice(0, MAX_VIOLATIONS_PER_INVARIANT)
    .map((detail) => ({ invariant, kind: 'unexpected', subject: null, detail }));
}
