import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { bookablePeriods } from '../../subgraphs/book/src/domain/bookable-periods.ts';
import { findSlotProblem } from '../../subgraphs/book/src/domain/booking-rules.ts';
import { quotePrice } from '../../subgraphs/book/src/domain/price-quote.ts';
import { refundSchedule } from '../../subgraphs/book/src/domain/refund-schedule.ts';
import { readMachine } from '../measurement/machine.ts';
import { resultsFile, wholeNumber } from '../options.ts';
import { holdsFrom, largestSpace } from './largest-space.ts';

const DAY_MS = 86_400_000;
const DAYS = 31;

/** CPU time of one evaluation, in milliseconds. */
interface Cost {
  /** The first one of the process: no day of the zone is cached, no code compiled. */
  first: number;
  /** The mean of those after it. */
  usual: number;
}

const { values } = parseArgs({
  options: { repetitions: { type: 'string', default: '200' }, out: { type: 'string' } },
});
const repetitions = wholeNumber('--repetitions', values.repetitions, 10, 100_000);

// A month in which clocks change.
const zones = { 'Asia/Seoul': '2030-03-01T00:00Z', 'Europe/Berlin': '2030-03-20T00:00Z' };
const costs: Record<string, Record<string, Cost>> = {};
for (const [zone, from] of Object.entries(zones)) costs[zone] = measureZone(zone, new Date(from));

const out = resultsFile(values.out, 'bench-rules.json');
mkdirSync(dirname(out), { recursive: true });
const results = { options: { repetitions }, machine: readMachine(), costs };
writeFileSync(out, `${JSON.stringify(results, undefined, 2)}\n`);
for (const [zone, rules] of Object.entries(costs)) {
  console.log(`\n${zone}: CPU time in ms, the first time and usually`);
  for (const [rule, { first, usual }] of Object.entries(rules)) {
    console.log(
      `  ${rule.padEnd(36)}${first.toFixed(2).padStart(8)}${usual.toFixed(3).padStart(9)}`,
    );
  }
}
console.log(`\nThe results are in ${out}`);

function measureZone(timeZone: string, from: Date): Record<string, Cost> {
  const to = new Date(from.getTime() + DAYS * DAY_MS);
  const now = new Date(from.getTime() - 30 * DAY_MS + 1);
  const slot = { startAt: from, endAt: to };
  const space = largestSpace(timeZone, from, false);
  const open = largestSpace(timeZone, from, true);
  const holds = holdsFrom(from, DAYS);
  const holidays = new Set(['2030-03-01', '2030-04-19']);
  const addOns = space.addOns.map(({ id }) => ({ addOnId: id, quantity: 1 }));
  const use = { slot, headcount: 10, addOns };
  const total = { amount: 1_000_000, currency: 'KRW' } as const;
  const costs = {
    'free slots of 31 days, 372 holds': measure(() => {
      return bookablePeriods(space, from, to, now, holds).length;
    }),
    'rules on a slot of 31 days': measure(() => findSlotProblem(slot, open, now) === undefined),
    'quote of 31 days, 50 price rules': measure(() => quotePrice(space, use, holidays)),
    'refund schedule of 50 tiers': measure(() => {
      return refundSchedule(total, space.refundTiers, from, timeZone);
    }),
  };
  if (findSlotProblem(slot, open, now)) throw new Error('The longest slot is refused.');
  if ('field' in quotePrice(space, use, holidays)) throw new Error('The longest use has no price.');
  return costs;
}

function measure(evaluate: () => unknown): Cost {
  const first = cpuMs(evaluate);
  const all = cpuMs(() => {
    for (let count = 0; count < repetitions; count += 1) evaluate();
  });
  return { first, usual: all / repetitions };
}

function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
