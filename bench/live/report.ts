import type { Machine } from '../measurement/machine.ts';
import type { Options } from './options.ts';
import type { Push, Spread } from './round.ts';

/** What was measured with this many subscribers. */
export interface Sized {
  count: number;
  messageBytes: number;
  /** The router's for each idle subscriber, in KiB. */
  memory: number;
  /** Each watches a booking of its own. */
  spread: Spread;
  /** The bare broadcast. */
  limit: Push & { kibPerClient: number };
  /** All watch the same booking; with mypage's fields, and with those of all contexts. */
  same: Push;
  sameWhole: Push;
}

export interface Results {
  startedAt: string;
  options: Options;
  machine: Machine;
  sized: Sized[];
}

const AIM_P99_MS = 100;
const AIM_TO_LIMIT = 0.6;
const AIM_KIB = 15;

/** The results as text. */
export function toReport({ options, sized }: Results): string {
  const per = (name: string, read: (size: Sized) => string) => row(name, sized.map(read));
  const rate = ({ messagesPerSecond }: Push) => messagesPerSecond.toFixed(0);
  const toLimit = (push: Push, limit: Push) =>
    `${((push.messagesPerSecond / limit.messagesPerSecond) * 100).toFixed(0)} %`;
  const toLimitByCpu = (push: Push, limit: Push) =>
    `${((limit.cpuPerMessage / push.cpuPerMessage) * 100).toFixed(0)} %`;
  const stolen = ({ spread }: Sized) => ((spread.stolenShare ?? Number.NaN) * 100).toFixed(0);
  return [
    '',
    row(
      'subscribers',
      sized.map(({ count }) => String(count)),
    ),
    '',
    `Each watches a booking of its own, ${options.rate} changes a second:`,
    per('  commit → receipt, ms (p50 / p95 / p99)', ({ spread: { latencies } }) =>
      [latencies.p50, latencies.p95, latencies.p99].map((ms) => ms.toFixed(0)).join(' / '),
    ),
    per('  changes measured', ({ spread }) => String(spread.latencies.count)),
    per('  changes that were not received', ({ spread }) => String(spread.missed)),
    per('  CPU time stolen by other guests, %', stolen),
    per('  KiB per idle subscriber', ({ memory }) => memory.toFixed(1)),
    per('  KiB per client of the bare broadcast', ({ limit }) => limit.kibPerClient.toFixed(1)),
    '',
    'All watch the same booking, which changes faster than the limit could send:',
    per('  messages per second', ({ same }) => rate(same)),
    per("  with other contexts' fields", ({ sameWhole }) => rate(sameWhole)),
    per('  limit: a bare broadcast of the same bytes', ({ limit }) => rate(limit)),
    per('  messages / limit', ({ same, limit }) => toLimit(same, limit)),
    per("  with other contexts' fields / limit", ({ sameWhole, limit }) =>
      toLimit(sameWhole, limit),
    ),
    per('  messages / limit, by CPU time', ({ same, limit }) => toLimitByCpu(same, limit)),
    per('  CPU per message, µs: the router', ({ same }) => same.cpuPerMessage.toFixed(1)),
    per('  CPU per message, µs: the bare broadcast', ({ limit }) => limit.cpuPerMessage.toFixed(1)),
    per('  bytes per message', ({ messageBytes }) => String(messageBytes)),
    '',
    `Aims: p99 below ${AIM_P99_MS} ms with 1,000 subscribers, ${AIM_TO_LIMIT * 100} % of the limit, ${AIM_KIB} KiB for an idle one.`,
    'Commit is the instant that mypage writes into a version, a moment before its transaction ends; mypage',
    'commits every 50 ms, so that changes come in groups.',
  ].join('\n');
}

function row(name: string, cells: string[]): string {
  return `${name.padEnd(46)}${cells.map((cell) => cell.padStart(20)).join('')}`;
}
