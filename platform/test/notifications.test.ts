import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startRedisCluster } from '../../tests/faults/redis-cluster/cluster.ts';
import { openNodeProxies } from '../../tests/faults/redis-cluster/proxied-nodes.ts';
import { createDatabase, silent } from '../../tests/support/database.ts';
import { until } from '../../tests/support/system.ts';
import {
  openPublisher,
  type Publisher,
  subscribeToNotifications,
} from '../messaging/notifications.ts';
import { type FaultyProxy, openProxyTo } from './queue-harness.ts';

type Settings = Parameters<typeof openPublisher>[0];

/** The server that carries notifications, and the settings that name it. */
interface Server {
  url: string;
  settings(url: string): Settings;
  openProxy(): Promise<FaultyProxy>;
  drop(): Promise<unknown>;
}

async function preparePostgres(): Promise<Server> {
  const database = await createDatabase();
  return {
    url: database.url,
    settings: (url) => ({ QUEUE_DATABASE_URL: url }),
    openProxy: () => openProxyTo(database.url),
    drop: () => database.drop(),
  };
}

async function prepareRedis(): Promise<Server> {
  const url = process.env.TEST_REDIS_URL as string;
  return {
    url,
    settings: (address) => ({ REDIS_URL: address }),
    openProxy: () => openProxyTo(url),
    drop: async () => {},
  };
}

async function prepareCluster(): Promise<Server> {
  const { url, nodes, stop } = await startRedisCluster({ endpoints: 'unknown-endpoint' });
  return {
    url,
    settings: (address) => ({ REDIS_URL: address }),
    openProxy: () => openNodeProxies(nodes),
    drop: stop,
  };
}

const servers = [{ name: 'PostgreSQL', prepare: preparePostgres }];
if (process.env.TEST_REDIS_URL) {
  servers.push({ name: 'Redis', prepare: prepareRedis });
  if (process.platform === 'linux')
    servers.push({ name: 'a Redis Cluster', prepare: prepareCluster });
}

describe.each(servers)('notifications on $name', ({ prepare }) => {
  let server: Server;
  let publisher: Publisher;
  const closing: (() => Promise<unknown>)[] = [];
  let channels = 0;

  beforeAll(async () => {
    server = await prepare();
  }, 120_000);

  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  afterAll(async () => {
    await server?.drop();
  }, 90_000);

  /** A publisher, and a listener behind a proxy. */
  async function open() {
    channels += 1;
    const channel = `test_${process.pid}_${channels}`;
    const proxy = await server.openProxy();
    const far = server.settings(proxy.through(server.url));
    const received: string[] = [];
    const times = { connected: 0 };
    const subscriber = {
      onMessage: (text: string) => void received.push(text),
      onConnected() {
        times.connected += 1;
      },
    };
    publisher = openPublisher(server.settings(server.url), channel, silent);
    const listening = subscribeToNotifications(far, channel, subscriber, silent);
    closing.push(
      () => listening.close(),
      () => publisher.close(),
      () => proxy.close(),
    );
    await until('it listens', async () => times.connected === 1);
    return { proxy, received, times, far, channel, listening };
  }

  const arrives = async (received: string[], text: string) =>
    until(`"${text}" arrives`, async () => {
      publisher.publish(text);
      await pause(20);
      return received.includes(text);
    });

  test('notifications arrive at once and in order, whatever their text is', async () => {
    const { received } = await open();
    const texts = ['one', '공간대여', '가'.repeat(2_300), "'; DROP TABLE x; --"];
    for (const text of texts) publisher.publish(text);
    await until('all arrive', async () => received.length === texts.length);
    expect(received).toEqual(texts);
  });

  test('notifications arrive again after every outage, and the subscriber is informed that it is connected again', async () => {
    const { proxy, received, times } = await open();
    const outages = [
      () => proxy.cut(),
      async () => {
        proxy.refuse();
        await pause(1_500);
        proxy.heal();
      },
      // Half open: the connection is never reset.
      () => proxy.silenceOpen(),
    ];
    for (const [index, cause] of outages.entries()) {
      await cause();
      await until('it listens again', async () => times.connected === index + 2);
      await arrives(received, `after outage ${index}`);
    }
  }, 60_000);

  test('notifications are dropped while the server is unreachable, and are published again afterwards', async () => {
    const { received, channel, far, proxy } = await open();
    const distant = openPublisher(far, channel, silent);
    closing.unshift(() => distant.close());
    distant.publish('before');
    await until('it arrives', async () => received.includes('before'));
    proxy.refuse();
    for (let n = 0; n < 5_000; n += 1) distant.publish(`lost ${n}`);
    await pause(500);
    proxy.heal();
    await until('it publishes again', async () => {
      distant.publish('after');
      await pause(50);
      return received.includes('after');
    });
  }, 60_000);

  test('a publisher and a subscriber close at once while the server does not respond', async () => {
    const { proxy, listening } = await open();
    // Longer than the timeout of the test.
    proxy.delay(600_000);
    await listening.close();
    await publisher.close();
    proxy.heal();
  });
});

(process.env.TEST_REDIS_URL ? test : test.skip)(
  'notifications arrive again when the node of the publisher and the subscriber is killed',
  async () => {
    const cluster = await startRedisCluster();
    const env = { REDIS_URL: cluster.url };
    const received: string[] = [];
    const times = { connected: 0 };
    const subscriber = {
      onMessage: (text: string) => void received.push(text),
      onConnected() {
        times.connected += 1;
      },
    };
    const publisher = openPublisher(env, 'killed', silent);
    const listening = subscribeToNotifications(env, 'killed', subscriber, silent);
    try {
      const arrives = (text: string) =>
        until(`"${text}" arrives`, async () => {
          publisher.publish(text);
          await pause(20);
          return received.includes(text);
        });
      await arrives('before');
      cluster.nodes[0]?.kill();
      await until('it listens again', async () => times.connected === 2);
      await arrives('after');
    } finally {
      await listening.close();
      await publisher.close();
      await cluster.stop();
    }
  },
  180_000,
);

test('settings that name no server are refused with a sentence', () => {
  expect(() => openPublisher({}, 'channel', silent)).toThrow(/REDIS_URL or QUEUE_DATABASE_URL/);
});
