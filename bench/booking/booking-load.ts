import { setTimeout as wait } from 'node:timers/promises';
import { type Latencies, toLatencies } from '../measurement/latencies.ts';
import type { RouterClient } from '../system/router-client.ts';
import type { FreeSlot } from '../system/spaces.ts';
import type { VisibleBookings } from './visible-bookings.ts';

/**
 * A client asks for the next booking as soon as it has the answer to the last one, without waiting
 * for mypage: else the way there, which nobody waits for, would set the pace. But it never has more
 * than these unconfirmed: a system that takes requests faster than it confirms them must not look
 * fast, and its backlog must not grow for as long as one measures.
 */
const UNCONFIRMED_PER_CLIENT = 4;

/** Of so many bookings one is read through the router: enough to know, too few to be the load. */
const READ_ONE_OF = 4;

export const CONFIRMED_WITHIN_MS = 20_000;

const requestBooking = `mutation RequestBooking($input: RequestBookingInput!) {
  requestBooking(input: $input) {
    __typename
    ... on RequestBookingSuccess {
      booking { id status slot { startAt endAt } price { amount currency } }
    }
    ... on Problem { message }
  }
}`;

const readStatus = `query Status($id: ID!) {
  myPage { booking(id: $id) { bookingId status } }
}`;

export interface BookingResults {
  seconds: number;
  /** Bookings that became visible as REGISTERED in mypage, per second. */
  confirmedPerSecond: number;
  confirmed: number;
  /** Of requestBooking alone. */
  request: Latencies;
  /** From the request until a client reads REGISTERED in mypage through the router. */
  visible: Latencies;
  /** All bookings that were made, those before and after the measured time included. */
  made: number;
  /** Of those, the ones that were still not visible long after the end. */
  unconfirmed: number;
  /** Answers other than a paid booking, by what they said. */
  otherAnswers: Record<string, number>;
}

export interface BookingLoad {
  router: RouterClient;
  tokens: readonly string[];
  nextSlot: () => FreeSlot;
  visible: VisibleBookings;
  warmUpSeconds: number;
  seconds: number;
  /** Called when the measured time starts and when it is over. */
  atStart: () => void;
  atEnd: () => void;
}

/** Lets every client book until the time is over, then waits for what is not confirmed yet. */
export async function measureBookings(load: BookingLoad): Promise<BookingResults> {
  const start = performance.now() + load.warmUpSeconds * 1_000;
  const end = start + load.seconds * 1_000;
  const measured = (at: number) => at >= start && at < end;
  const requestMs: number[] = [];
  const visibleMs: number[] = [];
  const otherAnswers: Record<string, number> = {};
  let confirmed = 0;
  let made = 0;
  let unconfirmed = 0;

  async function follow(id: string, token: string, requestedAt: number, isRead: boolean) {
    unconfirmed += 1;
    await load.visible.registered(id);
    if (isRead) await untilRead(load.router, id, token);
    unconfirmed -= 1;
    const now = performance.now();
    if (measured(now)) confirmed += 1;
    if (isRead && measured(requestedAt)) visibleMs.push(now - requestedAt);
  }

  async function client(token: string): Promise<void> {
    const following = new Set<Promise<void>>();
    while (performance.now() < end) {
      if (following.size >= UNCONFIRMED_PER_CLIENT) {
        // What is never confirmed must not hold the client beyond the end.
        await Promise.race([...following, wait(end - performance.now())]);
        continue;
      }
      const requestedAt = performance.now();
      const { id, answer } = await book(load, token);
      const answeredAt = performance.now();
      if (measured(requestedAt)) requestMs.push(answeredAt - requestedAt);
      if (answer !== 'PAID') otherAnswers[answer] = (otherAnswers[answer] ?? 0) + 1;
      if (!id) continue;
      made += 1;
      const followed = follow(id, token, requestedAt, made % READ_ONE_OF === 0).finally(() =>
        following.delete(followed),
      );
      following.add(followed);
    }
  }

  const marks = [
    wait(load.warmUpSeconds * 1_000).then(load.atStart),
    wait((load.warmUpSeconds + load.seconds) * 1_000).then(load.atEnd),
  ];
  await Promise.all([...load.tokens.map(client), ...marks]);

  const deadline = performance.now() + CONFIRMED_WITHIN_MS;
  while (unconfirmed > 0 && performance.now() < deadline) await wait(50);
  return {
    seconds: load.seconds,
    confirmedPerSecond: confirmed / load.seconds,
    confirmed,
    request: toLatencies(requestMs),
    visible: toLatencies(visibleMs),
    made,
    unconfirmed,
    otherAnswers,
  };
}

let keys = 0;

async function book(
  load: BookingLoad,
  token: string,
): Promise<{ id: string | undefined; answer: string }> {
  const { spaceId, startAt, endAt } = load.nextSlot();
  keys += 1;
  type Answer = {
    requestBooking: {
      __typename: string;
      message?: string;
      booking?: { id: string; status: string };
    };
  };
  const input = {
    idempotencyKey: `bench-${keys}`,
    spaceId,
    slot: { startAt: startAt.toISOString(), endAt: endAt.toISOString() },
    headcount: 2,
    paymentMethod: 'pm_ok',
  };
  const { requestBooking: answer } = await load.router.request<Answer>(
    requestBooking,
    { input },
    token,
  );
  return {
    id: answer.booking?.id,
    answer: answer.booking?.status ?? `${answer.__typename}: ${answer.message}`,
  };
}

async function untilRead(router: RouterClient, id: string, token: string): Promise<void> {
  for (;;) {
    type Answer = { myPage: { booking: { status: string } | null } };
    const { myPage } = await router.request<Answer>(readStatus, { id }, token);
    if (myPage.booking?.status === 'REGISTERED') return;
  }
}
