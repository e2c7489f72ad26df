import { setTimeout as pause } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { LiveClient } from './live-clients.ts';
import type { System } from './system.ts';

export const BOOKING_STATUS = `subscription ($id: ID!, $after: Int) {
  bookingStatus(bookingId: $id, afterVersion: $after) {
    bookingId status version paymentStatus registrationStatus timeline { status }
    booking { id price { amount } payment { status } registration { status } space { name } }
  }
}`;
export const MY_BOOKING_STATUSES = `subscription {
  myBookingStatuses { bookingId status version registrationStatus timeline { status } }
}`;

export const HOST_BOOKINGS = `subscription ($spaceId: ID) {
  hostBookings(spaceId: $spaceId) {
    bookingId spaceId spaceName customerId slot { startAt endAt } headcount price { amount currency }
    refunded { amount } status note requestedAt decideBefore version
  }
}`;

/** The statuses of a booking that is registered and then cancelled. */
export const LIFECYCLE = ['REQUESTED', 'PAID', 'REGISTERED', 'CANCELLING', 'CANCELLED'];

export interface View {
  bookingId: string;
  status: string;
  version: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read into responses and fail where they differ
  [field: string]: any;
}

let running: (() => void)[] = [];

/** Ends all subscriptions of a test. */
export function unsubscribeAll(): void {
  for (const stop of running) stop();
  running = [];
}

/** Subscribes, and returns the views and errors that it receives. */
export function watch(
  client: LiveClient,
  system: System,
  token: string | null,
  query: string,
  variables: Record<string, unknown> = {},
) {
  const views: View[] = [];
  const errors: unknown[] = [];
  const subscription = { views, errors, isOver: false };
  const stop = client.subscribe(
    system,
    token,
    { query, variables },
    {
      next({ data, errors: more }) {
        errors.push(...(more ?? []));
        if (data) views.push(...(Object.values(data) as View[]));
      },
      ended(error) {
        if (error) errors.push(...(Array.isArray(error) ? error : [error]));
        subscription.isOver = true;
      },
    },
  );
  running.push(stop);
  return subscription;
}

/** Watches a booking until it is cancelled; after a broken subscription it resumes after the last version. */
export async function watchToEnd(
  client: LiveClient,
  system: System,
  token: string,
  id: string,
  views: View[],
): Promise<void> {
  const stopped = new AbortController();
  running.push(() => stopped.abort());
  for (let after = 0; views.at(-1)?.status !== 'CANCELLED' && !stopped.signal.aborted; ) {
    const subscription = watch(client, system, token, BOOKING_STATUS, { id, after });
    for (let copied = 0; !stopped.signal.aborted; await pause(20)) {
      views.push(...subscription.views.slice(copied));
      copied = subscription.views.length;
      after = views.at(-1)?.version ?? after;
      if (subscription.isOver && copied === subscription.views.length) break;
    }
    await pause(100);
  }
}

/**
 * Expects every version once, and each with at most one more status. An event may overtake another one on
 * its way to mypage: the status of the later one is then only in the timeline, and in that of the version before
 * it, which skips that status, too, where a subscriber reads that version afterwards.
 */
export function expectWholeLifecycle(views: readonly View[]): void {
  expectNoGap(views);
  const lengths = views.map(({ timeline }) => timeline.length);
  const steps = views.map(({ status }) => LIFECYCLE.indexOf(String(status)));
  expect(lengths[0]).toBeGreaterThanOrEqual(1);
  expect(lengths[0]).toBeLessThanOrEqual(Number(steps[0]) + 1);
  for (const [at, length] of lengths.slice(1).entries()) {
    const skipped = Number(steps[at + 1]) - Number(steps[at]);
    expect(length - Number(lengths[at])).toBeLessThanOrEqual(Math.max(1, skipped));
  }
  expect(views.at(-1)?.timeline.map(({ status }: View) => status)).toEqual(LIFECYCLE);
  expect(views.at(-1)?.status).toBe('CANCELLED');
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
}

export function expectNoGap(views: readonly View[]): void {
  const first = Number(views[0]?.version);
  expect(views.map(({ version }) => version)).toEqual(views.map((_, n) => first + n));
}

/** The statuses in order, without repetitions. */
export const statusesOf = (views: readonly View[]) =>
  views.map(({ status }) => status).filter((status, at, all) => status !== all[at - 1]);

/** The errors as text without correlation ids, which differ between requests. */
export const comparableErrors = (errors: readonly unknown[]) =>
  JSON.stringify(errors, withMessage).replaceAll(
    /"correlationId":"[\w-]+"/g,
    '"correlationId":"…"',
  );

/** JSON omits the message of an error, and client libraries add fields to it. */
function withMessage(_key: string, value: unknown) {
  return value instanceof Error ? { ...value, message: value.message } : value;
}
