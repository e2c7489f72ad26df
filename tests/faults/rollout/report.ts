import { type Latencies, toLatencies } from '../../../bench/measurement/latencies.ts';
import { serviceNames } from '../../../supervisor/src/services.ts';
import { describeMissed } from '../replicas/clients.ts';
import type { RequestLog, SentRequest } from '../replicas/request-log.ts';
import type { Replacement } from './replacement.ts';
import type { RolloutResult } from './run.ts';

/** Before and after a replacement: the requests of this time are compared with those during it. */
const COMPARED_MS = 8_000;
const MAX_LINES = 20;

/** The clients' requests that need a service, around the replacement of its replicas. */
export interface ServiceRow {
  round: string;
  service: string;
  seconds: number;
  requests: number;
  failures: number;
  before: Latencies;
  during: Latencies;
  after: Latencies;
}

export function toRows({ requests, replacements }: RolloutResult): ServiceRow[] {
  return replacements.map((replacement) => toRow(requests, replacement));
}

function toRow(log: RequestLog, { round, service, from, to }: Replacement): ServiceRow {
  const during = log.between(service, from, to);
  return {
    round,
    service,
    seconds: (to - from) / 1_000,
    requests: during.length,
    failures: during.filter(({ failure }) => failure !== undefined).length,
    before: latenciesOf(log.between(service, from - COMPARED_MS, from)),
    during: latenciesOf(during),
    after: latenciesOf(log.between(service, to, to + COMPARED_MS)),
  };
}

function latenciesOf(requests: readonly SentRequest[]): Latencies {
  return toLatencies(requests.map(({ startedAt, endedAt }) => endedAt - startedAt));
}

/** What went wrong: nothing in a good run. */
export function findFailures(result: RolloutResult): string[] {
  const { requests, subscribers, violations } = result;
  return [
    ...requests.failures.map(
      ({ operation, startedAt, endedAt, failure }) =>
        `request ${operation} at ${(startedAt / 1_000).toFixed(1)} s, after ${(endedAt - startedAt).toFixed(0)} ms: ${failure}`,
    ),
    ...describeMissed(subscribers),
    ...violations,
  ];
}

/** The results as text. */
export function toReport(result: RolloutResult): string {
  const { warmUp, requests, outcomes, deferred, subscribers } = result;
  const failures = findFailures(result);
  const during = requests.requests.filter(({ startedAt, endedAt }) =>
    result.replacements.some(({ from, to }) => endedAt >= from && startedAt <= to),
  ).length;
  return [
    '',
    ['round', 'service'].map((cell) => cell.padEnd(10)).join('') +
      ['seconds', 'requests', 'failed', 'before', 'during', 'after']
        .map((cell, index) => cell.padStart(index < 3 ? 10 : 14))
        .join(''),
    ...toRows(result).map(formatRow),
    '',
    'Requests: those of clients that need the service, from the first SIGTERM until HAProxy sends requests to the',
    'last new replica. Latencies: p50 / p99 in ms, before and after in 8 s each.',
    '',
    `${requests.requests.length} requests (${during} while a process was replaced), ${requests.failures.length} failed.`,
    `Before the measurement ${warmUp.requests} requests warmed the processes up, of which ${warmUp.failed} failed.`,
    `Bookings and cancellations: ${outcomes.ok} ok, ${outcomes.refused} refused, ${outcomes.unknown} unknown; ${deferred} payments deferred.`,
    `Subscribers: ${subscribers.bookings} bookings watched in ${subscribers.subscriptions} subscriptions, ${subscribers.resumed} of them resumed after a`,
    `  restart of a router; ${subscribers.versions} versions received; ${subscribers.missed.length} bookings with a version missed or repeated, ${subscribers.failed.length} failed subscriptions.`,
    formatCounters(result),
    `Invariants violated: ${result.violations.length}.`,
    ...failures.slice(0, MAX_LINES).map((failure) => `  ${failure}`),
    ...(failures.length > MAX_LINES ? [`  and ${failures.length - MAX_LINES} more`] : []),
  ].join('\n');
}

function formatRow(row: ServiceRow): string {
  const latencies = ({ p50, p99 }: Latencies) => `${p50.toFixed(0)} / ${p99.toFixed(0)}`;
  return [
    row.round.padEnd(10),
    row.service.padEnd(10),
    ...[row.seconds.toFixed(0), row.requests, row.failures].map((cell) =>
      String(cell).padStart(10),
    ),
    ...[row.before, row.during, row.after].map((each) => latencies(each).padStart(14)),
  ].join('');
}

/** What HAProxy did for requests that would have failed, and what it could not prevent. */
function formatCounters({ counters }: RolloutResult): string {
  const lines = serviceNames.map((service) => {
    const own = counters.filter((each) => each.service === service);
    const sum = (read: (each: (typeof own)[number]) => number) =>
      own.reduce((total, each) => total + read(each), 0);
    return `${service} ${sum((each) => each.retried)} / ${sum((each) => each.broken)} / ${sum((each) => each.responses5xx)}`;
  });
  return `HAProxy sent again as refused / connections broken before a response / responses of 5xx: ${lines.join(', ')}.`;
}
