import { setTimeout as wait } from 'node:timers/promises';
import { type Latencies, toLatencies } from '../measurement/latencies.ts';
import { watchStolenTime } from '../measurement/stolen-time.ts';
import type { BroadcastWorks } from './broadcast-process.ts';
import { type Child, startChild } from './child.ts';
import type { LiveBooking, LiveEvents } from './events.ts';
import { readCpuTime, readResidentKib } from './process-usage.ts';
import type { SubscriberWorks, Subscribing } from './subscriber-process.ts';

/** What mypage alone knows of a booking. */
const OWN_FIELDS = `version bookingId status spaceName slot { startAt endAt }
  price { amount currency } paymentStatus refunded { amount currency } registrationStatus
  timeline { status at } updatedAt`;
/** With what is asked of other contexts for each event. */
const ALL_FIELDS = `${OWN_FIELDS} booking { id payment { status } space { name } }`;

/** So long memory and backlogs are given to settle. */
const SETTLE_MS = 3_000;
/** So long bookings change before anything is measured. */
const WARM_UP_MS = 1_500;
/** Changes come at so many times the rate at which the bare server could pass them on. */
const FLOOD = 1.5;
/** More changes of one booking would measure mypage, and take its CPU time from the router. */
const MAX_CHANGES = 300;

export interface Push {
  /** Received by all clients together. */
  messagesPerSecond: number;
  /** Microseconds of the pushing process's CPU time for each of them. */
  cpuPerMessage: number;
}

export interface Spread {
  /** From mypage's commit to the client's receipt. */
  latencies: Latencies;
  /** Changes that no client was told of. */
  missed: number;
  /** The part of the CPU time that the host's other guests took meanwhile. */
  stolenShare: number | undefined;
}

/** What is subscribed to, and by whom. */
export interface Round {
  /** The router's GraphQL over WebSocket. */
  url: string;
  routerPid: number;
  count: number;
  rate: number;
  seconds: number;
  events: LiveEvents;
  clients: Child<SubscriberWorks>;
}

export interface Watched extends LiveBooking {
  token: string;
}

/** Each subscriber's share of the memory that it takes to have them all, in KiB. */
export async function kibPerSubscriber(
  pid: number,
  count: number,
  subscribe: () => Promise<void>,
): Promise<number> {
  const before = readResidentKib(pid);
  await subscribe();
  await wait(SETTLE_MS);
  return (readResidentKib(pid) - before) / count;
}

/** Each subscriber watches a booking of its own, with its own identity. */
export async function subscribeToOwn(
  { url, clients }: Round,
  bookings: readonly Watched[],
): Promise<void> {
  const each = bookings.map((booking) => subscribing(booking, OWN_FIELDS));
  await clients.ask('subscribe', { url, each, noteReceipts: true });
}

/** Changes the watched bookings in turn, and measures how long each change takes to its subscriber. */
export async function measureSpread(
  { events, clients, rate, seconds }: Round,
  bookings: readonly Watched[],
): Promise<Spread> {
  const changing = events.change(bookings, rate);
  await wait(WARM_UP_MS);
  const since = new Date();
  const stolenTime = watchStolenTime();
  await wait(seconds * 1_000);
  await changing.end();
  const { share } = stolenTime();
  await wait(SETTLE_MS);
  const received = new Map(
    (await clients.ask('receipts', undefined)).map(({ client, version, at }) => [
      `${bookings[client]?.bookingId} ${version}`,
      at,
    ]),
  );
  const projected = await events.projectedSince(since);
  const told = projected.flatMap(({ bookingId, version, projectedAt }) => {
    const at = received.get(`${bookingId} ${version}`);
    return at === undefined ? [] : [at - projectedAt];
  });
  const missed = projected.length - told.length;
  return { latencies: toLatencies(told), missed, stolenShare: share };
}

/** What a bare ws server gets through when it sends these bytes to as many clients, over and over. */
export async function measureBroadcast(
  { clients, count, seconds }: Round,
  message: Uint8Array,
): Promise<Push & { kibPerClient: number }> {
  const server = startChild<BroadcastWorks>(new URL('./broadcast-process.js', import.meta.url));
  try {
    const url = await server.ask('listen', undefined);
    const connect = () => clients.ask('connect', { url, clients: count });
    const kibPerClient = await kibPerSubscriber(server.pid, count, connect);
    await server.ask('broadcast', message);
    const push = await countMessages(clients, server.pid, seconds);
    await server.ask('end', undefined);
    await clients.ask('close', undefined);
    return { ...push, kibPerClient };
  } finally {
    server.stop();
  }
}

/** All watch the same booking, which changes faster than the bare server could tell them. */
export async function measureSame(
  { url, clients, count, events, routerPid, seconds }: Round,
  booking: Watched,
  limit: Push,
  fields: 'own' | 'all',
): Promise<Push> {
  const watching = subscribing(booking, fields === 'own' ? OWN_FIELDS : ALL_FIELDS);
  await clients.ask('subscribe', { url, each: Array(count).fill(watching), noteReceipts: false });
  const rate = Math.min((limit.messagesPerSecond / count) * FLOOD, MAX_CHANGES);
  const changing = events.change([booking], rate);
  const push = await countMessages(clients, routerPid, seconds);
  await changing.end();
  await clients.ask('close', undefined);
  await wait(SETTLE_MS);
  return push;
}

async function countMessages(
  clients: Child<SubscriberWorks>,
  pid: number,
  seconds: number,
): Promise<Push> {
  await wait(WARM_UP_MS);
  const before = await clients.ask('taken', undefined);
  const cpuBefore = readCpuTime(pid);
  await wait(seconds * 1_000);
  const after = await clients.ask('taken', undefined);
  const messages = after.messages - before.messages;
  return {
    messagesPerSecond: (messages * 1_000) / (after.at - before.at),
    cpuPerMessage: ((readCpuTime(pid) - cpuBefore) * 1_000) / messages,
  };
}

function subscribing({ bookingId, token }: Watched, fields: string): Subscribing {
  const query = `subscription Watch($id: ID!) { bookingStatus(bookingId: $id) { ${fields} } }`;
  return { token, query, variables: { id: bookingId } };
}
