import { setTimeout as pause } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { TcpProxy } from '../../tests/faults/tcp-proxy.ts';
import { until } from '../../tests/support/system.ts';
import type { EventRecord } from '../messaging/events.ts';
import type { Transport } from '../messaging/queue.ts';
import type { Logger } from '../observability/logger.ts';

/** This and the next find what waits for ever, on a busy machine too. */
const RECEIVE_TIMEOUT_SECONDS = 60;
/** Longer than any deadline of a transport, and much shorter than the delay of the slow server. */
const END_TIMEOUT_MS = 45_000;
const RESEND_MS = 500;

/** A server for queues, and how a test breaks it. */
export interface QueueServer {
  url: string;
  open(url: string, logger?: Logger): Promise<Transport>;
  /** A new proxy in front of the server, which is a group of proxies where it has several nodes. */
  openProxy(): Promise<FaultyProxy>;
  /** Ends every connection except those of the test's own client. */
  endConnections(): Promise<unknown>;
  drop(): Promise<unknown>;
}

export type FaultyProxy = Pick<
  TcpProxy,
  'through' | 'connections' | 'cut' | 'refuse' | 'silenceOpen' | 'delay' | 'heal' | 'close'
>;

export function openProxyTo(url: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(url);
  return TcpProxy.open({ host: hostname, port: Number(port) });
}

export interface Fault {
  fault: string;
  inject(proxy: FaultyProxy): void;
}

export const faults: Fault[] = [
  { fault: 'refuses', inject: (proxy) => proxy.refuse() },
  { fault: 'is silent on open connections', inject: (proxy) => proxy.silenceOpen() },
  // Longer than any test, which finds whatever waits for the response.
  { fault: 'is slow', inject: (proxy) => proxy.delay(600_000) },
];

let opened: { transport: Transport; proxy: FaultyProxy }[] = [];

/** Opens a transport whose connections go through a proxy of its own, after `prepare` has changed it. */
export async function openThroughProxy(
  server: QueueServer,
  logger?: Logger,
  prepare: (proxy: FaultyProxy) => void = () => {},
) {
  const proxy = await server.openProxy();
  prepare(proxy);
  const transport = await server.open(proxy.through(server.url), logger);
  opened.push({ transport, proxy });
  return { transport, proxy };
}

/** Closes what {@link openThroughProxy} has opened. */
export async function closeOpened(): Promise<void> {
  const closing = opened.map(async ({ transport, proxy }) => {
    proxy.heal();
    await transport.stopReceiving();
    await transport.close();
    await proxy.close();
  });
  opened = [];
  await Promise.all(closing);
}

/** Leaves it to the test to close this transport and its proxy. */
export function closeMyself(transport: Transport): void {
  opened = opened.filter((each) => each.transport !== transport);
}

export const newQueue = () => `queue-${uuidv7()}`;

export function newEvent(): EventRecord {
  return {
    id: uuidv7(),
    topic: 'topic',
    type: 'Tested',
    aggregateId: uuidv7(),
    version: 1,
    occurredAt: new Date().toISOString(),
    correlationId: 'test',
    payload: { any: 'thing' },
    awaiting: [],
  };
}

export const toIds = (batch: readonly EventRecord[]) => batch.map(({ id }) => id);

/** Starts a worker, and returns the array to which it adds the ids of the events. */
export async function receive(transport: Transport, queue: string): Promise<string[]> {
  const received: string[] = [];
  await transport.receive(queue, 4, async (batch) => {
    received.push(...toIds(batch));
  });
  return received;
}

/** A worker that fails until a test lets it succeed. */
export interface FailingWorker {
  /** The ids of the events that it received since. */
  received: string[];
  /** How many batches it has begun. */
  started(): number;
  succeed(): void;
}

export async function receiveFailing(transport: Transport, queue: string): Promise<FailingWorker> {
  const received: string[] = [];
  let isFailing = true;
  let started = 0;
  await transport.receive(queue, 2, async (batch) => {
    started += 1;
    if (isFailing) throw new Error('a failure that is retried');
    received.push(...toIds(batch));
  });
  return {
    received,
    started: () => started,
    succeed() {
      isFailing = false;
    },
  };
}

/** Sends an event once. A first send opens a connection, which a busy machine may not do before the deadline. */
export const isSent = (transport: Transport, queue: string, event: EventRecord) =>
  transport.send([{ queue, event, attempt: 1 }]).then(
    () => true,
    () => false,
  );

/** Sends one event once, and resolves with the milliseconds until it was received. */
export async function sendAndReceive(
  sender: Transport,
  queue: string,
  received: string[],
): Promise<number> {
  const event = newEvent();
  const sentAt = Date.now();
  await sender.send([{ queue, event, attempt: 1 }]);
  await until('received', () => received.includes(event.id), RECEIVE_TIMEOUT_SECONDS);
  return Date.now() - sentAt;
}

/** Sends an event again and again, as the relay does, until it is received. */
export async function sendUntilReceived(
  sender: Transport,
  queue: string,
  received: string[],
  event: EventRecord = newEvent(),
): Promise<void> {
  const deadline = Date.now() + RECEIVE_TIMEOUT_SECONDS * 1_000;
  for (let attempt = 1; !received.includes(event.id); attempt += 1) {
    await sender.send([{ queue, event, attempt }]).catch(() => {});
    const resendAt = Date.now() + RESEND_MS;
    while (!received.includes(event.id) && Date.now() < resendAt) await pause(10);
    if (Date.now() > deadline) {
      throw new Error(`not received within ${RECEIVE_TIMEOUT_SECONDS} s`);
    }
  }
}

/** Resolves when `work` succeeds or fails; rejects when it does neither within its deadlines. */
export async function endsInTime(work: Promise<unknown>): Promise<void> {
  const timeout = new AbortController();
  const ended = await Promise.race([
    work.then(
      () => true,
      () => true,
    ),
    pause(END_TIMEOUT_MS, false, { signal: timeout.signal }),
  ]);
  timeout.abort();
  if (!ended) throw new Error(`neither succeeded nor failed within ${END_TIMEOUT_MS / 1_000} s`);
}
