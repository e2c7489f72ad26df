import { setTimeout as wait } from 'node:timers/promises';
import { type Latencies, toLatencies } from '../measurement/latencies.ts';
import type { RouterClient } from '../system/router-client.ts';
import type { FreeSlot } from '../system/spaces.ts';
import type { VisibleBookings } from './visible-bookings.ts';

/**
 * A client requests the next booking as soon as the last response arrives: waiting for mypage would make
 * the latency of the projection limit the rate. The limit of unconfirmed bookings keeps a system that
 * accepts requests faster than it confirms them from looking fast while its backlog grows.
 */
export const MAX_UNCONFIRMED_PER_CLIENT = 4;

/** One booking in this many is read through the router: a sample that adds little load. */
const READ_SAMPLE_INTERVAL = 4;

export const CONFIRMATION_TIMEOUT_MS = 20_000;

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
  /** All bookings that were created, including those before and after the measured time. */
  created: number;
  /** The number of created bookings that were not visible when the confirmation timeout expired. */
  unconfirmed: number;
  /** The number of responses other than a paid booking, by status or refusal. */
  otherResponses: Record<string, number>;
}

export interface BookingLoad {
  router: RouterClient;
  tokens: readonly string[];
  nextSlot: () => FreeSlot;
  visible: VisibleBookings;
  warmUpSeconds: number;
  seconds: number;
  /** Called when the measured time starts and when it ends. */
  atStart: () => void;
  atEnd: () => void;
}

/** Every client books until the time is over; then waits for the bookings that are not confirmed yet. */
export async function measureBookings(load: BookingLoad): Promise<BookingResults> {
  const start = performance.now() + load.warmUpSeconds * 1_000;
  const end = start + load.seconds * 1_000;
  const measured = (at: number) => at >= start && at < end;
  const requestMs: number[] = [];
  const visibleMs: number[] = [];
  const otherResponses: Record<string, number> = {};
  let confirmed = 0;
  let created = 0;
  let unconfirmed = 0;

  async function follow(id: string, token: string, requestedAt: number, isRead: boolean) {
    unconfirmed += 1;
    await load.visible.registered(id);
    if (isRead) await waitUntilRead(load.router, id, token);
    unconfirmed -= 1;
    const now = performance.now();
    if (measured(now)) confirmed += 1;
    if (isRead && measured(requestedAt)) visibleMs.push(now - requestedAt);
  }

  async function client(token: string): Promise<void> {
    const following = new Set<Promise<void>>();
    while (performance.now() < end) {
      if (following.size >= MAX_UNCONFIRMED_PER_CLIENT) {
        // A booking that is never confirmed must not delay the client beyond the end.
        await Promise.race([...following, wait(end - performance.now())]);
        continue;
      }
      const requestedAt = performance.now();
      const { id, outcome } = await book(load, token);
      const respondedAt = performance.now();
      if (measured(requestedAt)) requestMs.push(respondedAt - requestedAt);
      if (outcome !== 'PAID') otherResponses[outcome] = (otherResponses[outcome] ?? 0) + 1;
      if (!id) continue;
      created += 1;
      const followed = follow(id, token, requestedAt, created % READ_SAMPLE_INTERVAL === 0).finally(
        () => following.delete(followed),
      );
      following.add(followed);
    }
  }

  const marks = [
    wait(load.warmUpSeconds * 1_000).then(load.atStart),
    wait((load.warmUpSeconds + load.seconds) * 1_000).then(load.atEnd),
  ];
  await Promise.all([...load.tokens.map(client), ...marks]);

  const deadline = performance.now() + CONFIRMATION_TIMEOUT_MS;
  while (unconfirmed > 0 && performance.now() < deadline) await wait(50);
  return {
    seconds: load.seconds,
    confirmedPerSecond: confirmed / load.seconds,
    confirmed,
    request: toLatencies(requestMs),
    visible: toLatencies(visibleMs),
    created,
    unconfirmed,
    otherResponses,
  };
}

let keys = 0;

async function book(
  load: BookingLoad,
  token: string,
): Promise<{ id: string | undefined; outcome: string }> {
  const { spaceId, startAt, endAt } = load.nextSlot();
  keys += 1;
  type Data = {
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
  const { requestBooking: response } = await load.router.request<Data>(
    requestBooking,
    { input },
    token,
  );
  return {
    id: response.booking?.id,
    outcome: response.booking?.status ?? `${response.__typename}: ${response.message}`,
  };
}

async function waitUntilRead(router: RouterClient, id: string, token: string): Promise<void> {
  for (;;) {
    type Data = { myPage: { booking: { status: string } | null } };
    const { myPage } = await router.request<Data>(readStatus, { id }, token);
    if (myPage.booking?.status === 'REGISTERED') return;
  }
}
