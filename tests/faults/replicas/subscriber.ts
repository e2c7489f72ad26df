import { setTimeout as wait } from 'node:timers/promises';
import { cancelBooking, requestBooking } from '../load/operations.ts';
import type { Records } from '../load/records.ts';
import type { RouterClient } from '../load/router-client.ts';
import type { CustomerSlots } from '../load/slot-plan.ts';
import type { Random } from '../random.ts';
import type { End, StatusClient, StatusView } from './status-clients.ts';

/** For the next version of a booking that must come. */
const VERSION_TIMEOUT_MS = 120_000;
/** Between the booking and its cancellation: most subscriptions are open while a router is replaced. */
const MIN_WATCH_MS = 4_000;
const MAX_WATCH_MS = 45_000;
/** Clients do not all connect again in the same moment. */
const MAX_RECONNECT_MS = 1_500;
const POLL_MS = 20;

/** What all subscribers of a run have received. */
export interface SubscriberTotals {
  bookings: number;
  versions: number;
  /** Subscriptions that were opened, the resumed ones included. */
  subscriptions: number;
  /** Subscriptions that continued after a restart of the router. */
  resumed: number;
  /** Versions that were missed or repeated, for people. */
  missed: string[];
  /** Subscriptions that failed, for people: one that is refused is opened again. */
  failed: string[];
}

export interface Subscriber {
  name: string;
  random: Random;
  url: string;
  token: string;
  client: StatusClient;
  router: RouterClient;
  records: Records;
  slots: CustomerSlots;
  totals: SubscriberTotals;
  /** How long the customer keeps a booking, relative to the default. */
  patience: number;
  /** Whether a router is being replaced: only then may a subscription end early. */
  isRouterReplaced: () => boolean;
  isOver: () => boolean;
}

/** Books, watches the booking over one connection after another, cancels it, and books again. */
export async function actAsSubscriber(subscriber: Subscriber): Promise<void> {
  const { name, random, router, records, slots, totals, isOver, patience } = subscriber;
  await wait(random.between(0, MAX_WATCH_MS * patience));
  for (let turn = 0; !isOver(); turn += 1) {
    const slot = slots.ownSlot(random);
    const input = { ...slot, headcount: 1, paymentMethod: 'pm_ok' };
    const outcome = await requestBooking(router, records, name, `${name}-${turn}`, input);
    if (outcome.kind !== 'ok') {
      if (outcome.kind === 'refused')
        note(totals.failed, slot.spaceId, `no booking: ${outcome.type}`);
      await wait(1_000);
      continue;
    }
    await watchBooking(subscriber, outcome.bookingId);
  }
}

/** Ends when the booking is cancelled and its subscription complete, or on the first fault. */
async function watchBooking(subscriber: Subscriber, bookingId: string): Promise<void> {
  const { name, random, router, records, totals, isOver, patience } = subscriber;
  const watching = new AbortController();
  const views: StatusView[] = [];
  const ended = follow(subscriber, bookingId, views, watching.signal);
  const hasEnded = ended.then(() => true);
  const registered = () => views.some(({ status }) => status === 'REGISTERED');
  const isRegistered = await reached(registered, hasEnded);
  if (!isRegistered) note(totals.missed, bookingId, `no REGISTERED after ${describe(views)}`);
  const cancelAt = performance.now() + random.between(MIN_WATCH_MS, MAX_WATCH_MS) * patience;
  while (performance.now() < cancelAt && !isOver()) await wait(POLL_MS * 5);
  await cancelBooking(router, records, name, bookingId);
  const inTime = await Promise.race([hasEnded, wait(VERSION_TIMEOUT_MS, false)]);
  watching.abort();
  if (!inTime) note(totals.missed, bookingId, `no end after ${describe(views)}`);
  await ended;
  totals.bookings += 1;
  totals.versions += views.length;
  checkVersions(totals, bookingId, views);
}

async function reached(condition: () => boolean, ended: Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + VERSION_TIMEOUT_MS;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    if (await Promise.race([ended, wait(POLL_MS, false)])) return condition();
  }
  return true;
}

/** Subscribes, and again after the last version when a router restarts, as docs/api.md says. */
async function follow(
  subscriber: Subscriber,
  bookingId: string,
  views: StatusView[],
  signal: AbortSignal,
): Promise<void> {
  const { random, totals, isRouterReplaced } = subscriber;
  while (!signal.aborted) {
    const wasReplaced = isRouterReplaced();
    totals.subscriptions += 1;
    const end = await subscribeOnce(subscriber, bookingId, views, signal);
    if (end === 'completed' || signal.aborted) return;
    if (end !== 'restarted') note(totals.failed, bookingId, end.failure);
    else if (wasReplaced || isRouterReplaced()) totals.resumed += 1;
    else note(totals.failed, bookingId, 'the subscription ended although no router was replaced');
    await wait(random.between(50, MAX_RECONNECT_MS));
  }
}

/** Resolves with how the subscription ended; as completed when the signal ends it. */
async function subscribeOnce(
  { client, url, token }: Subscriber,
  bookingId: string,
  views: StatusView[],
  signal: AbortSignal,
): Promise<End> {
  const after = views.at(-1)?.version ?? null;
  let unsubscribe = () => {};
  let stop = () => {};
  const end = await new Promise<End>((resolve) => {
    stop = () => resolve('completed');
    signal.addEventListener('abort', stop);
    unsubscribe = client(
      { url, token, variables: { id: bookingId, after } },
      { next: (view) => void views.push(view), ended: resolve },
    );
  });
  signal.removeEventListener('abort', stop);
  unsubscribe();
  return end;
}

/** Every version after the first, each once, up to the one that says that the booking is cancelled. */
function checkVersions(
  totals: SubscriberTotals,
  bookingId: string,
  views: readonly StatusView[],
): void {
  const first = views[0]?.version ?? 0;
  const isWhole =
    views.every(({ version }, index) => version === first + index) &&
    views.at(-1)?.status === 'CANCELLED';
  if (!isWhole) note(totals.missed, bookingId, `received ${describe(views)}`);
}

function note(list: string[], subject: string, what: string): void {
  list.push(`${subject}: ${what}`);
}

function describe(views: readonly StatusView[]): string {
  return views.map(({ version, status }) => `${version} ${status}`).join(', ') || 'nothing';
}
