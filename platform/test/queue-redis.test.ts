import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'redis';
import { silent } from '../../tests/support/database.ts';
import { freePort, startRedis } from '../../tests/support/servers.mjs';
import { until } from '../../tests/support/system.ts';
import { openTransport, type Transport } from '../messaging/queue.ts';
import { createMetrics } from '../observability/metrics.ts';
import {
  newEvent,
  newQueue,
  openProxyTo,
  type QueueServer,
  receive,
  receiveFailing,
  sendAndReceive,
  sendUntilReceived,
} from './queue-harness.ts';
import { describeQueue } from './queue-spec.ts';

if (process.env.TEST_REDIS_URL) describeQueue('Redis', prepareRedis);

async function prepareRedis(): Promise<QueueServer> {
  const url = process.env.TEST_REDIS_URL as string;
  const admin = await redisAdmin();
  return {
    url,
    openProxy: () => openProxyTo(url),
    open: async (address, logger = silent) => openTransport({ REDIS_URL: address }, logger),
    endConnections: () => admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']),
    drop: async () => admin.destroy(),
  };
}

async function redisAdmin() {
  const admin = createClient({ url: process.env.TEST_REDIS_URL as string });
  admin.on('error', () => {});
  await admin.connect();
  return admin;
}

const onRedis = process.env.TEST_REDIS_URL ? describe : describe.skip;

onRedis('the queue on Redis', () => {
  let admin: Awaited<ReturnType<typeof redisAdmin>>;
  let transport: Transport;

  beforeAll(async () => {
    admin = await redisAdmin();
    transport = openTransport({ REDIS_URL: process.env.TEST_REDIS_URL }, silent);
  });

  afterAll(async () => {
    await admin?.configSet('maxmemory', '0');
    await transport?.stopReceiving();
    await transport?.close();
    admin?.destroy();
  });

  test('a queue continues when Redis loses all data while jobs wait, run and are delayed', async () => {
    const queue = newQueue();
    const worker = await receiveFailing(transport, queue);
    const events = Array.from({ length: 8 }, newEvent);
    await Promise.all(events.map((event) => transport.send([{ queue, event, attempt: 1 }])));
    await until('some have failed and are delayed', () => worker.started() >= 4);
    await admin.flushAll();
    worker.succeed();
    for (const event of events) await sendUntilReceived(transport, queue, worker.received, event);
  });

  test('a queue continues when Redis runs out of memory and recovers, without a busy loop', async () => {
    const queue = newQueue();
    const received = await receive(transport, queue);
    await sendAndReceive(transport, queue, received);
    await admin.configSet('maxmemory', '1');
    const event = newEvent();
    await expect(transport.send([{ queue, event, attempt: 1 }])).rejects.toThrow(/OOM/);
    const commands = async () =>
      Number(/total_commands_processed:(\d+)/.exec(await admin.info('stats'))?.[1]);
    const before = await commands();
    await pause(2_000);
    expect((await commands()) - before).toBeLessThan(200);
    await admin.configSet('maxmemory', '0');
    await sendAndReceive(transport, queue, received);
  });

  test('a transport works when Redis starts later, and its metric shows whether it is connected', async () => {
    const port = await freePort();
    const metrics = createMetrics('test');
    const early = openTransport({ REDIS_URL: `redis://:late@127.0.0.1:${port}` }, silent, metrics);
    const connected = async () =>
      Number(/spacerent_connected\{to="queue",[^}]*\} (\d)/.exec(await metrics.metrics())?.[1]);
    const queue = newQueue();
    const received = await receive(early, queue);
    await expect(early.send([{ queue, event: newEvent(), attempt: 1 }])).rejects.toThrow(
      /took longer/,
    );
    expect(await connected()).toBe(0);
    let server = await startRedis('late', port);
    try {
      await sendUntilReceived(early, queue, received);
      expect(await connected()).toBe(1);
      await server.stop();
      await until('not connected', async () => (await connected()) === 0);
      server = await startRedis('late', port);
      await sendUntilReceived(early, queue, received);
      expect(await connected()).toBe(1);
    } finally {
      await early.stopReceiving();
      await early.close();
      await server.stop();
    }
  }, 240_000);
});
