import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RedisCluster, startRedisCluster } from '../../tests/faults/redis-cluster/cluster.ts';
import { openNodeProxies } from '../../tests/faults/redis-cluster/proxied-nodes.ts';
import { silent } from '../../tests/support/database.ts';
import { until } from '../../tests/support/system.ts';
import { openTransport, type Transport } from '../messaging/queue.ts';
import {
  isSent,
  newEvent,
  newQueue,
  type QueueServer,
  receive,
  receiveFailing,
  sendAndReceive,
  sendUntilReceived,
} from './queue-harness.ts';
import { describeQueue } from './queue-spec.ts';

const START_TIMEOUT_MS = 120_000;
const isInstalled = Boolean(process.env.TEST_REDIS_URL);

if (isInstalled && process.platform === 'linux') describeQueue('a Redis Cluster', prepareCluster);

async function prepareCluster(): Promise<QueueServer> {
  const { url, nodes, stop } = await startRedisCluster({ endpoints: 'unknown-endpoint' });
  return {
    url,
    openProxy: () => openNodeProxies(nodes),
    open: async (address, logger = silent) => openTransport({ REDIS_URL: address }, logger),
    endConnections: () =>
      Promise.all(
        nodes.map((node) => node.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')),
      ),
    drop: stop,
  };
}

(isInstalled ? describe : describe.skip)('the queue on a Redis Cluster', () => {
  let cluster: RedisCluster;
  let transport: Transport;

  beforeAll(async () => {
    cluster = await startRedisCluster();
    transport = openTransport({ REDIS_URL: cluster.url }, silent);
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    await transport?.stopReceiving();
    await transport?.close();
    await cluster?.stop();
  });

  const keyOf = (queue: string) => `{spacerent:${queue}}`;

  test('queues are spread over the masters', async () => {
    const queues = Array.from({ length: 12 }, newQueue);
    await Promise.all(
      queues.map((queue) =>
        until('the queue accepts', () => isSent(transport, queue, newEvent()), 60),
      ),
    );
    const stored = await Promise.all(
      cluster.nodes.map(async (node) =>
        (await node.isMaster())
          ? ((await node.command('KEYS', '{spacerent*:wait')) as string[])
          : [],
      ),
    );
    expect(stored.flat().toSorted()).toEqual(
      queues.map((queue) => `${keyOf(queue)}:${queue}:wait`).toSorted(),
    );
    // All on one of three masters: once in 200,000 runs.
    expect(stored.filter((keys) => keys.length > 0).length).toBeGreaterThan(1);
  });

  test('a queue continues when its slot is moved while jobs wait, run and are delayed', async () => {
    const queue = newQueue();
    const worker = await receiveFailing(transport, queue);
    const events = Array.from({ length: 8 }, newEvent);
    for (const event of events) {
      await until('the queue accepts', () => isSent(transport, queue, event), 60);
    }
    await until('some have failed and are delayed', () => worker.started() >= 4, 60);
    const moving = cluster.moveSlot(keyOf(queue));
    worker.succeed();
    await moving;
    for (const event of events) await sendUntilReceived(transport, queue, worker.received, event);
  });

  test('a queue continues when its master is killed, also for workers that wait for jobs', async () => {
    const queue = newQueue();
    const received = await receive(transport, queue);
    await sendUntilReceived(transport, queue, received);
    const killed = await cluster.masterOf(keyOf(queue));
    killed.kill();
    // While nobody stores the queue, sending fails in time.
    await sendUntilReceived(transport, queue, received);
    expect(await cluster.masterOf(keyOf(queue))).not.toBe(killed);
    // The worker is notified again: polling alone would take longer.
    await until(
      'the worker is notified',
      async () => (await sendAndReceive(transport, queue, received)) < 1_000,
      60,
    );
  }, 240_000);
});
