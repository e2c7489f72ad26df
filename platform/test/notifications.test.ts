import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TcpProxy } from '../../tests/faults/tcp-proxy.ts';
import { createDatabase, silent } from '../../tests/support/database.ts';
import { until } from '../../tests/support/system.ts';
import {
  openPublisher,
  type Publisher,
  subscribeToNotifications,
} from '../messaging/notifications.ts';

type Settings = Parameters<typeof openPublisher>[0];

/** The server that carries notifications, and the settings that name it. */
interface Server {
  url: string;
  settings(url: string): Settings;
  drop(): Promise<unknown>;
}

async function preparePostgres(): Promise<Server> {
  const database = await createDatabase();
  return {
    url: database.url,
    settings: (url) => ({ QUEUE_DATABASE_URL: url }),
    drop: () => database.drop(),
  };
}

async function prepareRedis(): Promise<Server> {
  const url = process.env.TEST_REDIS_URL as string;
  return { url, settings: (address) => ({ REDIS_URL: address }), drop: async () => {} };
}

const servers = [{ name: 'PostgreSQL', prepare: preparePostgres }];
if (process.env.TEST_REDIS_URL) servers.push({ name: 'Redis', prepare: prepareRedis });

describe.each(servers)('notifications on $name', ({ prepare }) => {
  let server: Server;
  let publisher: Publisher;
  const closing: (() => Promise<unknown>)[] = [];
  let channels = 0;

  beforeAll(async () => {
    server = await prepare();
  });

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
    const { hostname, port } = new URL(server.url);
    const proxy = await TcpProxy.open({ host: hostname, port: Number(port) });
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

test('settings that name no server are refused with a sentence', () => {
  expect(() => openPublisher({}, 'channel', silent)).toThrow(/REDIS_URL or QUEUE_DATABASE_URL/);
});
