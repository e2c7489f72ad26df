import type { SentRequest } from '../replicas/request-log.ts';

/** A response after more than this is late. */
export const LATE_MS = 2_000;

/** The operations of the clients, and how people call them. */
export const OPERATIONS = {
  Request: 'book',
  Cancel: 'cancel',
  Booking: 'read a booking',
  Read: 'my page',
  Spaces: 'search',
  FreeSlots: 'free slots',
} as const;
export type Operation = keyof typeof OPERATIONS;

/** What the clients saw from a fault on. */
export interface Summary {
  requests: number;
  failed: number;
  /** Responses without a failure that came late. */
  late: number;
  /** From the fault to the end of the last failed request; undefined: none failed. */
  failedForSeconds: number | undefined;
  /** Operations none of whose requests failed. */
  working: string[];
  /** Failed requests of each other operation. */
  failures: Record<string, number>;
  /** The messages of the failures, the most frequent first. */
  messages: string[];
}

/** Of the requests that ended after the fault (performance.now()). */
export function summarize(all: readonly SentRequest[], injectedAt: number): Summary {
  const requests = all.filter(({ endedAt }) => endedAt >= injectedAt);
  const failed = requests.filter(({ failure }) => failure !== undefined);
  const failedFor = Math.max(...failed.map(({ endedAt }) => endedAt - injectedAt));
  const countOf = (operation: string) =>
    failed.filter((each) => each.operation === operation).length;
  const names = Object.entries(OPERATIONS);
  return {
    requests: requests.length,
    failed: failed.length,
    late: requests.filter(
      ({ failure, startedAt, endedAt }) => failure === undefined && endedAt - startedAt > LATE_MS,
    ).length,
    failedForSeconds: failed.length > 0 ? failedFor / 1_000 : undefined,
    working: names.filter(([name]) => countOf(name) === 0).map(([, label]) => label),
    failures: Object.fromEntries(
      names.filter(([name]) => countOf(name) > 0).map(([name, label]) => [label, countOf(name)]),
    ),
    messages: toMessages(failed),
  };
}

/** Without line breaks and without what differs from request to request. */
function toLine(failure: string): string {
  const line = failure.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
  return line.replaceAll(/[0-9a-f-]{36}/g, '…').slice(0, 160);
}

function toMessages(failed: readonly SentRequest[]): string[] {
  const counts = new Map<string, number>();
  for (const { operation, failure = '' } of failed) {
    const message = `${operation}: ${toLine(failure)}`;
    counts.set(message, (counts.get(message) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([message, count]) => `${count} × ${message}`);
}
