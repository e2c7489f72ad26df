import { toLatencies } from '../../../bench/measurement/latencies.ts';
import { countOutcomes } from '../load/records.ts';
import { MUTATIONS_PER_MINUTE } from './rate-limit.ts';
import { type BlowResult, findFailures, type RedisClusterResult } from './run.ts';

const MAX_LINES = 20;

/** One row for each fault: what clients saw while it lasted. */
export function toRows({ load, blows }: RedisClusterResult) {
  return blows.map((blow) => ({ ...blow, ...requestsDuring(load, blow) }));
}

function requestsDuring({ requests }: RedisClusterResult['load'], { from, to }: BlowResult) {
  const during = requests.between('router', from, to);
  const { p50, p99 } = toLatencies(during.map(({ startedAt, endedAt }) => endedAt - startedAt));
  const failed = during.filter(({ failure }) => failure !== undefined).length;
  return { requests: during.length, failed, p50, p99 };
}

/** The results as text. */
export function toReport(result: RedisClusterResult): string {
  const { load, warmUp, subscribers, violations, admittedBefore, admittedAfter } = result;
  const outcomes = countOutcomes(load.records);
  const failures = findFailures(result);
  return [
    '',
    ...toRows(result).flatMap((row) => [
      `${row.name}: ${row.description}`,
      `  ${row.requests} requests, ${row.failed} failed, p50 ${row.p50.toFixed(0)} ms, p99 ${row.p99.toFixed(0)} ms`,
      `  a booking of that moment was registered after ${(row.registeredAfterMs / 1_000).toFixed(1)} s`,
      `  ${row.admitted} mutations of one user were admitted; the limit of a router is ${MUTATIONS_PER_MINUTE}`,
    ]),
    '',
    `${load.requests.requests.length} requests, ${load.requests.failures.length} failed.`,
    `Before, ${warmUp.requests} requests warmed the processes up, of which ${warmUp.failed} failed.`,
    `Bookings and cancellations: ${outcomes.ok} ok, ${outcomes.refused} refused, ${outcomes.unknown} unknown.`,
    `Subscribers: ${subscribers.bookings} bookings watched, ${subscribers.versions} versions received; ${subscribers.missed.length} bookings with a version missed or repeated, ${subscribers.failed.length} failed subscriptions.`,
    `Both routers together admitted ${admittedBefore} mutations of one user before, ${admittedAfter} afterwards.`,
    `Invariants violated: ${violations.length}.`,
    ...failures.slice(0, MAX_LINES).map((failure) => `  ${failure}`),
    ...(failures.length > MAX_LINES ? [`  and ${failures.length - MAX_LINES} more`] : []),
  ].join('\n');
}
