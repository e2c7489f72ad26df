import { join } from 'node:path';
import { judge, TOLD, type Violation } from '../invariants/check-invariants.ts';
import { customer } from '../load/customer.ts';
import { type Outcome, Records } from '../load/records.ts';
import { type RouterClient, routerClient } from '../load/router-client.ts';
import { openMarket } from '../load/slot-plan.ts';
import { Random } from '../random.ts';
import { countAnswers, settle, untilBookKnows } from '../run.ts';
import type { ChaosSystem } from '../system/chaos-system.ts';
import { parkedByViews } from './parked-events.ts';
import { planSteps, type Version } from './steps.ts';
import { strangeLines } from './version-mismatches.ts';

const CUSTOMERS = 8;

export interface UpgradeResult {
  steps: number;
  answers: Record<Outcome['kind'], number>;
  violations: Violation[];
}

/** Upgrades, rolls back and upgrades again while customers book; checks everything at the end. */
export async function runUpgrade(
  system: ChaosSystem,
  of: {
    seed: number;
    isShort: boolean;
    setVersion(process: string, version: Version): void;
    /** What the supervision has said so far: which processes ended by themselves. */
    ended(): string[];
  },
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<UpgradeResult> {
  const random = new Random(String(of.seed));
  const records = new Records();
  const disturbed = new Disturbances();
  const customers = routerClient(system.routerUrl, system.tokenOf);
  const hosts = routerClient(system.routerUrl, system.tokenOf, 'host');
  let isOver = false;
  try {
    const market = await openMarket(hosts, records, 'upgrade');
    await untilBookKnows(system, records, signal);
    const router = watched(customers, disturbed);
    const load = Array.from({ length: CUSTOMERS }, (_, index) =>
      customer({
        name: `customer ${index}`,
        random: random.fork(`customer ${index}`),
        router,
        records,
        seat: market.seat(index, CUSTOMERS),
        isOver: () => isOver || signal.aborted,
      }),
    );
    const failed = Promise.all(load);
    failed.catch(() => {});
    const steps = planSteps(system, of.setVersion, of.isShort);
    for (const [index, { what, run }] of steps.entries()) {
      signal.throwIfAborted();
      await disturbed.during(() => Promise.race([run(), failed]));
      const { ok, refused, unknown } = countAnswers(records);
      say(
        `${index + 1}/${steps.length} ${what} | ${ok} ok, ${refused} refused, ${unknown} unknown`,
      );
    }
    isOver = true;
    await failed;
    signal.throwIfAborted();
    say('the load is over, waiting until nothing is under way');
    const stuck = await settle(system, false, say, signal);
    const truth = {
      adminUrl: system.postgres.adminUrl,
      databases: system.postgres.urls,
      viewsUrl: system.viewsUrl,
    };
    const violations = [
      ...stuck,
      ...(await judge(truth, records, new Date(0))),
      ...unexpected('no event is parked by mypage', await parkedByViews(system.viewsUrl)),
      ...unexpected(
        'no version meets what it does not know',
        strangeLines(join(system.home, 'logs')),
      ),
      ...unexpected('no process ends by itself', of.ended()),
      ...unexpected('requests fail only while a process is exchanged', disturbed.unexplained),
    ];
    return { steps: steps.length, answers: countAnswers(records), violations };
  } finally {
    isOver = true;
    await Promise.all([customers.close(), hosts.close()]);
  }
}

/** When processes were exchanged, and which requests failed although none was. */
class Disturbances {
  readonly unexplained: string[] = [];
  #running = 0;
  #count = 0;

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1;
    this.#count += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
    }
  }

  async watch<T>(request: () => Promise<T>): Promise<T> {
    const before = this.#count;
    const isCalm = this.#running === 0;
    try {
      return await request();
    } catch (error) {
      const { name, message } = error as Error;
      // A slow machine is not a fault of an upgrade.
      const isSlow = /abort|timeout/i.test(`${name} ${message}`);
      if (isCalm && this.#count === before && !isSlow) this.unexplained.push(message);
      throw error;
    }
  }
}

function watched(router: RouterClient, disturbed: Disturbances): RouterClient {
  return {
    ask: (user, query, variables) => disturbed.watch(() => router.ask(user, query, variables)),
    close: () => router.close(),
  };
}

function unexpected(invariant: string, details: readonly string[]): Violation[] {
  return details
    .slice(0, TOLD)
    .map((detail) => ({ invariant, kind: 'unexpected', culprit: null, detail }));
}
