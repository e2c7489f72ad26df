import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { TcpProxy } from '../../tests/faults/tcp-proxy.ts';
import { silent } from '../../tests/support/database.ts';
import type { EventRecord } from '../messaging/events.ts';
import type { Transport } from '../messaging/queue.ts';
import type { Logger } from '../observability/logger.ts';

/** A server for queues, and what may befall it. */
export interface Server {
  url: string;
  open(url: string, logger?: Logger): Promise<Transport>;
  /** Everybody who is connected through another client than the test's own is thrown out. */
  endConnections(): Promise<unknown>;
  drop(): Promise<unknown>;
}

const opened: { transport: Transport; proxy: TcpProxy }[] = [];

/** A transport whose connections go through a proxy of its own, on which `before` has struck. */
async function openThroughProxy(
  server: Server,
  logger?: Logger,
  before: (proxy: TcpProxy) => void = () => {},
) {
  const { hostname, port } = new URL(server.url);
  const proxy = await TcpProxy.open({ host: hostname, port: Number(port) });
  before(proxy);
  const transport = await server.open(proxy.through(server.url), logger);
  opened.push({ transport, proxy });
  return { transport, proxy };
}

/** Ends what {@link openThroughProxy} opened. */
async function closeOpened() {
  const ended = opened.splice(0).map(async ({ transport, proxy }) => {
    proxy.heal();
    await transport.stopReceiving();
    await transport.close();
    await proxy.close();
  });
  await Promise.all(ended);
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

export const idsOf = (batch: readonly EventRecord[]) => batch.map(({ id }) => id);

/** Receives with a transport; the events' ids appear in what is returned. */
export async function receive(transport: Transport, queue: string): Promise<string[]> {
  const received: string[] = [];
  await transport.receive(queue, 4, async (batch) => {
    received.push(...idsOf(batch));
  });
  return received;
}

/** Sends once, and resolves with how long the event was on its way, in milliseconds. */
export async function passes(sender: Transport, queue: string, received: string[], seconds = 20) {
  const event = newEvent();
  const sentAt = Date.now();
  await sender.send([{ queue, event, attempt: 1 }]);
  await until('received', () => received.includes(event.id), seconds);
  return Date.now() - sentAt;
}

/** Sends as the outbox does: again and again, until the event is received. */
export async function passesAtLast(
  sender: Transport,
  queue: string,
  received: string[],
  event: EventRecord = newEvent(),
) {
  const startedAt = Date.now();
  for (let attempt = 1; !received.includes(event.id); attempt += 1) {
    await sender.send([{ queue, event, attempt }]).catch(() => {});
    const askedUntil = Date.now() + 500;
    while (!received.includes(event.id) && Date.now() < askedUntil) await pause(10);
    if (Date.now() - startedAt > 20_000) throw new Error('not received within 20 s');
  }
  return Date.now() - startedAt;
}

export async function until(what: string, look: () => boolean | Promise<boolean>, seconds = 20) {
  const deadline = Date.now() + seconds * 1_000;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await pause(10);
  }
}

/** Resolves once `work` has settled, either way; fails when that takes longer than any of its deadlines. */
export async function settles(work: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  const settled = await Promise.race([
    work.then(
      () => true,
      () => true,
    ),
    pause(15_000, false, { signal: late.signal }),
  ]);
  late.abort();
  if (!settled) throw new Error('not settled within 15 s');
}

const faults: { fault: string; strike(proxy: TcpProxy): void }[] = [
  { fault: 'refuses', strike: (proxy) => proxy.refuse() },
  { fault: 'is silent on open connections', strike: (proxy) => proxy.silenceOpen() },
  // Longer than any test: what waits for the answer is found out.
  { fault: 'is slow', strike: (proxy) => proxy.delay(600_000) },
];

/** What the queue does on any server, through every fault of it. */
export function describeQueue(name: string, prepare: () => Promise<Server>): void {
  describe(`the queue on ${name}`, () => {
    let server: Server;
    let direct: Transport;

    beforeAll(async () => {
      server = await prepare();
      direct = await server.open(server.url);
    });

    afterEach(closeOpened);

    afterAll(async () => {
      await direct?.stopReceiving();
      await direct?.close();
      await server?.drop();
      // On a busy disk, dropping a database waits long for its checkpoint.
    }, 90_000);

    test('settles every send within its deadline, and sends again when the server is back', async () => {
      await Promise.all(
        faults.map(async ({ strike }) => {
          const { transport, proxy } = await openThroughProxy(server);
          const queue = newQueue();
          const received = await receive(direct, queue);
          await passes(transport, queue, received);
          strike(proxy);
          const send = (to: string) =>
            transport.send([{ queue: to, event: newEvent(), attempt: 1 }]);
          // A queue that is first used during the outage is none that fails for ever.
          const unknown = newQueue();
          await Promise.all([settles(send(queue)), settles(send(unknown))]);
          proxy.heal();
          await passesAtLast(transport, queue, received);
          await passesAtLast(transport, unknown, await receive(direct, unknown));
        }),
      );
    }, 60_000);

    test('sends and receives once its server is there, also when it came after it', async () => {
      const faultsAtStart = faults.filter(({ fault }) => fault !== 'is silent on open connections');
      await Promise.all(
        faultsAtStart.map(async ({ strike }) => {
          const { transport, proxy } = await openThroughProxy(server, silent, strike);
          const [queue, back] = [newQueue(), newQueue()];
          const received = await receive(transport, queue);
          const receivedBack = await receive(direct, back);
          await settles(transport.send([{ queue: back, event: newEvent(), attempt: 1 }]));
          await expect(transport.ping()).rejects.toThrow();
          proxy.heal();
          await passesAtLast(direct, queue, received);
          await passesAtLast(transport, back, receivedBack);
        }),
      );
    }, 60_000);

    test('receives again by itself when a fault is over, also with a worker opened during it', async () => {
      await Promise.all(
        faults.map(async ({ strike }) => {
          const { transport, proxy } = await openThroughProxy(server);
          const [queue, late] = [newQueue(), newQueue()];
          const received = await receive(transport, queue);
          await passes(direct, queue, received);
          strike(proxy);
          const receivedLate = await receive(transport, late);
          // Long enough for the workers to have run into it.
          await settles(transport.ping());
          await pause(2_000);
          proxy.heal();
          await Promise.all([
            passesAtLast(direct, queue, received),
            passesAtLast(direct, late, receivedLate),
          ]);
        }),
      );
    }, 60_000);

    test('finds out by itself that its connections are half open, idle and busy ones', async () => {
      const { transport, proxy } = await openThroughProxy(server);
      const queue = newQueue();
      const received = await receive(transport, queue);
      await passes(direct, queue, received);
      proxy.silenceOpen();
      // Nobody heals it: whatever was open stays silent for ever.
      await passesAtLast(direct, queue, received);
      await passesAtLast(transport, queue, received);
      // Events are announced to it again: it does not only look from time to time.
      await until('announced', async () => (await passes(direct, queue, received)) < 1_000);
    }, 60_000);

    test('receives again at once when its connections are reset or ended by the server', async () => {
      const { transport, proxy } = await openThroughProxy(server);
      const queue = newQueue();
      const received = await receive(transport, queue);
      for (const strike of [() => proxy.cut(), () => server.endConnections()]) {
        await passes(direct, queue, received);
        await strike();
        await passesAtLast(direct, queue, received);
      }
    });

    test('lets a handler that ran through an outage finish, and goes on', async () => {
      const { transport, proxy } = await openThroughProxy(server);
      const queue = newQueue();
      const done: string[] = [];
      let release = () => {};
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      let started = 0;
      await transport.receive(queue, 1, async (batch) => {
        started += 1;
        await gate;
        done.push(...idsOf(batch));
      });
      const event = newEvent();
      await direct.send([{ queue, event, attempt: 1 }]);
      await until('started', () => started === 1);
      proxy.refuse();
      await settles(transport.ping());
      release();
      await until('finished', () => done.includes(event.id));
      proxy.heal();
      await passesAtLast(direct, queue, done);
    });

    test('says of each queue at most once in 5 s that something is wrong', async () => {
      const warned = new Map<string, number[]>();
      const logger = {
        ...silent,
        info() {},
        warn(facts: { queue?: string }, message: string) {
          const source = `${message} ${facts.queue ?? ''}`;
          warned.set(source, [...(warned.get(source) ?? []), Date.now()]);
        },
      } as never as Logger;
      const { transport, proxy } = await openThroughProxy(server, logger);
      const queue = newQueue();
      const received = await receive(transport, queue);
      await passes(direct, queue, received);
      proxy.refuse();
      await until(
        'two warnings of one source',
        () => [...warned.values()].some((at) => at.length > 1),
        25,
      );
      for (const at of warned.values()) {
        expect(at.length).toBeLessThanOrEqual(2);
        if (at.length === 2) expect(Number(at[1]) - Number(at[0])).toBeGreaterThanOrEqual(4_900);
      }
    }, 40_000);

    test('stops within seconds, whatever happens to the server', async () => {
      await Promise.all(
        faults.map(async ({ strike }) => {
          const { transport, proxy } = await openThroughProxy(server);
          const queue = newQueue();
          const received = await receive(transport, queue);
          await passes(transport, queue, received);
          const place = opened.findIndex((one) => one.transport === transport);
          opened.splice(place, 1);
          strike(proxy);
          try {
            await settles(transport.stopReceiving());
            await settles(transport.close());
            await until('every connection is ended', () => proxy.connections === 0);
          } finally {
            await proxy.close();
          }
        }),
      );
    }, 40_000);
  });
}
