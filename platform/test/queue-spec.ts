import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { silent } from '../../tests/support/database.ts';
import { until } from '../../tests/support/system.ts';
import type { Transport } from '../messaging/queue.ts';
import type { Logger } from '../observability/logger.ts';
import {
  closeMyself,
  closeOpened,
  endsInTime,
  faults,
  isSent,
  newEvent,
  newQueue,
  openThroughProxy,
  type QueueServer,
  receive,
  sendAndReceive,
  sendUntilReceived,
  toIds,
} from './queue-harness.ts';

/** The server under test and a transport without a proxy; both exist only while tests run. */
interface Fixture {
  server(): QueueServer;
  direct(): Transport;
}

/** The tests of a transport, on one server, with each fault of the server. */
export function describeQueue(name: string, prepare: () => Promise<QueueServer>): void {
  describe(`the queue on ${name}`, () => {
    let server: QueueServer;
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
    }, 240_000);

    const fixture: Fixture = { server: () => server, direct: () => direct };
    testSending(fixture);
    testReconnecting(fixture);
    testLogging(fixture);
    testStopping(fixture);
  });
}

function testSending({ server, direct }: Fixture): void {
  test('a send ends within its deadline during a fault, and succeeds when the server is back', async () => {
    await Promise.all(
      faults.map(async ({ inject }) => {
        const { transport, proxy } = await openThroughProxy(server());
        const queue = newQueue();
        const received = await receive(direct(), queue);
        await sendUntilReceived(transport, queue, received);
        inject(proxy);
        const send = (to: string) => transport.send([{ queue: to, event: newEvent(), attempt: 1 }]);
        // A queue that is first used during the outage must work after it.
        const unknown = newQueue();
        await Promise.all([endsInTime(send(queue)), endsInTime(send(unknown))]);
        proxy.heal();
        await sendUntilReceived(transport, queue, received);
        await sendUntilReceived(transport, unknown, await receive(direct(), unknown));
      }),
    );
  }, 240_000);

  test('a transport that is opened before its server sends and receives once the server is there', async () => {
    const faultsAtStart = faults.filter(({ fault }) => fault !== 'is silent on open connections');
    await Promise.all(
      faultsAtStart.map(async ({ inject }) => {
        const { transport, proxy } = await openThroughProxy(server(), silent, inject);
        const [queue, back] = [newQueue(), newQueue()];
        const received = await receive(transport, queue);
        const receivedBack = await receive(direct(), back);
        await endsInTime(transport.send([{ queue: back, event: newEvent(), attempt: 1 }]));
        await expect(transport.ping()).rejects.toThrow();
        proxy.heal();
        await sendUntilReceived(direct(), queue, received);
        await sendUntilReceived(transport, back, receivedBack);
      }),
    );
  }, 240_000);
}

function testReconnecting({ server, direct }: Fixture): void {
  test('a worker receives again after a fault, also one that is opened during the fault', async () => {
    await Promise.all(
      faults.map(async ({ inject }) => {
        const { transport, proxy } = await openThroughProxy(server());
        const [queue, late] = [newQueue(), newQueue()];
        const received = await receive(transport, queue);
        await sendUntilReceived(direct(), queue, received);
        inject(proxy);
        const receivedLate = await receive(transport, late);
        // Long enough for the workers to fail at least once.
        await endsInTime(transport.ping());
        await pause(2_000);
        proxy.heal();
        await Promise.all([
          sendUntilReceived(direct(), queue, received),
          sendUntilReceived(direct(), late, receivedLate),
        ]);
      }),
    );
  }, 240_000);

  test('a transport detects half-open connections, idle and busy ones, by itself', async () => {
    const { transport, proxy } = await openThroughProxy(server());
    const queue = newQueue();
    const received = await receive(transport, queue);
    await sendUntilReceived(direct(), queue, received);
    proxy.silenceOpen();
    // The open connections stay silent: only new ones can work.
    await sendUntilReceived(direct(), queue, received);
    await sendUntilReceived(transport, queue, received);
    // The worker is notified again: polling alone would take longer.
    await until(
      'the worker is notified',
      async () => (await sendAndReceive(direct(), queue, received)) < 1_000,
    );
  }, 240_000);

  test('a worker receives again at once when its connections are reset or ended by the server', async () => {
    const { transport, proxy } = await openThroughProxy(server());
    const queue = newQueue();
    const received = await receive(transport, queue);
    for (const breakConnections of [() => proxy.cut(), () => server().endConnections()]) {
      await sendUntilReceived(direct(), queue, received);
      await breakConnections();
      await sendUntilReceived(direct(), queue, received);
    }
  });

  test('a handler that runs through an outage finishes, and its worker continues', async () => {
    const { transport, proxy } = await openThroughProxy(server());
    const queue = newQueue();
    const done: string[] = [];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let started = 0;
    await transport.receive(queue, 1, async (batch) => {
      started += 1;
      await released;
      done.push(...toIds(batch));
    });
    const event = newEvent();
    await until('sent', () => isSent(direct(), queue, event), 60);
    await until('started', () => started === 1);
    proxy.refuse();
    await endsInTime(transport.ping());
    release();
    await until('finished', () => done.includes(event.id));
    proxy.heal();
    await sendUntilReceived(direct(), queue, done);
  });
}

function testLogging({ server, direct }: Fixture): void {
  test('a failing queue is logged at most once in 5 s', async () => {
    const warned = new Map<string, number[]>();
    const logger = {
      ...silent,
      info() {},
      warn(fields: { queue?: string }, message: string) {
        const source = `${message} ${fields.queue ?? ''}`;
        warned.set(source, [...(warned.get(source) ?? []), Date.now()]);
      },
    } as never as Logger;
    const { transport, proxy } = await openThroughProxy(server(), logger);
    const queue = newQueue();
    const received = await receive(transport, queue);
    await sendUntilReceived(direct(), queue, received);
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
}

function testStopping({ server }: Fixture): void {
  test('a transport stops within seconds, whatever happens to the server', async () => {
    await Promise.all(
      faults.map(async ({ inject }) => {
        const { transport, proxy } = await openThroughProxy(server());
        const queue = newQueue();
        const received = await receive(transport, queue);
        await sendUntilReceived(transport, queue, received);
        closeMyself(transport);
        inject(proxy);
        try {
          await endsInTime(transport.stopReceiving());
          await endsInTime(transport.close());
          await until('every connection is ended', () => proxy.connections === 0);
        } finally {
          await proxy.close();
        }
      }),
    );
  }, 40_000);
}
