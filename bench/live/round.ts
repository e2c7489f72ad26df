import { setTimeout as wait } from 'node:timers/promises';
import { type Latencies, toLatencies } from '../measurement/latencies.ts';
import { watchStolenTime } from '../measurement/stolen-time.ts';
import type { BroadcastTasks } from './broadcast-process.ts';
import { type Child, startChild } from './child.ts';
import type { LiveBooking, LiveEvents } from './events.ts';
import { readCpuTime, readResidentKib } from './process-usage.ts';
import type { SubscriberTasks, Subscribing } from './subscriber-process.ts';

/** The fields that mypage alone resolves. */
const OWN_FIELDS = `version bookingId status spaceName slot { startAt endAt }
  price { amount currency } paymentStatus refunded { amount currency } registrationStatus
  timeline { status at } updatedAt`;
/** With fields that the router requests from other contexts for each event. */
const ALL_FIELDS = `${OWN_FIELDS} booking { id payment { status } space { name } }`;

/** How long to wait until memory is stable and backlogs are empty. */
const QUIESCENCE_MS = 3_000;
/** How long bookings change before the measured time. */
const WARM_UP_MS = 1_500;
/** The rate of changes, as a multiple of the rate at which the bare server can send them. */
const FLOOD_FACTOR = 1.5;
/** Changes a second; with more, mypage would be the bottleneck and compete with the router for CPU time. */
const MAX_CHANGES_PER_SECOND = 300;

export interface Push {
  /** Received by all clients together. */
  messagesPerSecond: number;
  /** Microseconds of the sending process's CPU time for each of them. */
  cpuPerMessage: number;
}

export interface Spread {
  /** From mypage's commit to the client's receipt. */
  latencies: Latencies;
  /** Changes that no client received. */
  missed: number;
  /** The share of the CPU time that the host's other guests used during the measurement. */
  stolenShare: number | undefined;
}

/** The system and the clients of one measurement. */
export interface Round {
  /** The router's GraphQL over WebSocket. */
  url: string;
  routerPid: number;
  count: number;
  rate: number;
  seconds: number;
  events: LiveEvents;
  clients: Child<SubscriberTasks>;
}

export interface Watched extends LiveBooking {
  token: string;
}

/** The growth of the process's memory for each subscriber, in KiB. */
export async function kibPerSubscriber(
  pid: number,
  count: number,
  subscribe: () => Promise<void>,
): Promise<number> {
  const before = readResidentKib(pid);
  await subscribe();
  await wait(QUIESCENCE_MS);
  return (readResidentKib(pid) - before) / count;
}

/** Each subscriber watches a booking of its own, with its own identity. */
export async function subscribeToOwn(
  { url, clients }: Round,
  bookings: readonly Watched[],
): Promise<void> {
  const each = bookings.map((booking) => subscribing(booking, OWN_FIELDS));
  await clients.run('subscribe', { url, each, recordReceipts: true });
}

/** Changes the watched bookings in turn, and measures the time from each commit to its subscriber's receipt. */
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
  await wait(QUIESCENCE_MS);
  const received = new Map(
    (await clients.run('receipts', undefined)).map(({ client, version, at }) => [
      `${bookings[client]?.bookingId} ${version}`,
      at,
    ]),
  );
  const projected = await events.projectedSince(since);
  const delays = projected.flatMap(({ bookingId, version, projectedAt }) => {
    const at = received.get(`${bookingId} ${version}`);
    return at === undefined ? [] : [at - projectedAt];
  });
  const missed = projected.length - delays.length;
  return { latencies: toLatencies(delays), missed, stolenShare: share };
}

/** The throughput of a bare ws server that sends these bytes to as many clients, again and again. */
export async function measureBroadcast(
  { clients, count, seconds }: Round,
  message: Uint8Array,
): Promise<Push & { kibPerClient: number }> {
  const server = startChild<BroadcastTasks>(new URL('./broadcast-process.js', import.meta.url));
  try {
    const url = await server.run('listen', undefined);
    const connect = () => clients.run('connect', { url, clients: count });
    const kibPerClient = await kibPerSubscriber(server.pid, count, connect);
    await server.run('broadcast', message);
    const push = await countMessages(clients, server.pid, seconds);
    await server.run('end', undefined);
    await clients.run('close', undefined);
    return { ...push, kibPerClient };
  } finally {
    server.stop();
  }
}

/** All watch the same booking, which changes faster than the bare server could send. */
export async function measureSame(
  { url, clients, count, events, routerPid, seconds }: Round,
  booking: Watched,
  limit: Push,
  fields: 'own' | 'all',
): Promise<Push> {
  const watching = subscribing(booking, fields === 'own' ? OWN_FIELDS : ALL_FIELDS);
  await clients.run('subscribe', { url, each: Array(count).fill(watching), recordReceipts: false });
  const rate = Math.min((limit.messagesPerSecond / count) * FLOOD_FACTOR, MAX_CHANGES_PER_SECOND);
  const changing = events.change([booking], rate);
  const push = await countMessages(clients, routerPid, seconds);
  await changing.end();
  await clients.run('close', undefined);
  await wait(QUIESCENCE_MS);
  return push;
}

async function countMessages(
  clients: Child<SubscriberTasks>,
  pid: number,
  seconds: number,
): Promise<Push> {
  await wait(WARM_UP_MS);
  const before = await clients.run('received', undefined);
  const cpuBefore = readCpuTime(pid);
  await wait(seconds * 1_000);
  const after = await clients.run('received', undefined);
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
