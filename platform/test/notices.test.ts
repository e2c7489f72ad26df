import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TcpProxy } from '../../tests/faults/tcp-proxy.ts';
import { createDatabase, silent } from '../../tests/support/database.ts';
import { until } from '../../tests/support/system.ts';
import { type Announcer, listenToNotices, openAnnouncer } from '../src/notices.ts';

type Settings = Parameters<typeof openAnnouncer>[0];

/** Where notices go, and the settings that name it. */
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

describe.each(servers)('notices on $name', ({ prepare }) => {
  let server: Server;
  let announcer: Announcer;
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

  /** An announcer, and a listener behind a proxy. */
  async function open() {
    channels += 1;
    const channel = `test_${process.pid}_${channels}`;
    const { hostname, port } = new URL(server.url);
    const proxy = await TcpProxy.open({ host: hostname, port: Number(port) });
    const far = server.settings(proxy.through(server.url));
    const heard: string[] = [];
    const times = { connected: 0 };
    const hearer = {
      heard: (text: string) => void heard.push(text),
      connected() {
        times.connected += 1;
      },
    };
    announcer = openAnnouncer(server.settings(server.url), channel, silent);
    const listening = listenToNotices(far, channel, hearer, silent);
    closing.push(
      () => listening.close(),
      () => announcer.close(),
      () => proxy.close(),
    );
    await until('it listens', async () => times.connected === 1);
    return { proxy, heard, times, far, channel, listening };
  }

  const arrives = async (heard: string[], text: string) =>
    until(`"${text}" is heard`, async () => {
      announcer.announce(text);
      await pause(20);
      return heard.includes(text);
    });

  test('are heard at once, in order, whatever they are made of', async () => {
    const { heard } = await open();
    const told = ['one', '공간대여', '가'.repeat(2_300), "'; DROP TABLE x; --"];
    for (const text of told) announcer.announce(text);
    await until('all are heard', async () => heard.length === told.length);
    expect(heard).toEqual(told);
  });

  test('are heard again after every outage, and the listener is told that it may have missed some', async () => {
    const { proxy, heard, times } = await open();
    const outages = [
      () => proxy.cut(),
      async () => {
        proxy.refuse();
        await pause(1_500);
        proxy.heal();
      },
      // Half open: nobody says that it is over.
      () => proxy.silenceOpen(),
    ];
    for (const [index, strike] of outages.entries()) {
      await strike();
      await until('it listens again', async () => times.connected === index + 2);
      await arrives(heard, `after outage ${index}`);
    }
  }, 60_000);

  test('are lost without a word when nobody can be told, and announced again afterwards', async () => {
    const { heard, channel, far, proxy } = await open();
    const distant = openAnnouncer(far, channel, silent);
    closing.unshift(() => distant.close());
    distant.announce('before');
    await until('it is heard', async () => heard.includes('before'));
    proxy.refuse();
    for (let n = 0; n < 5_000; n += 1) distant.announce(`lost ${n}`);
    await pause(500);
    proxy.heal();
    await until('it announces again', async () => {
      distant.announce('after');
      await pause(50);
      return heard.includes('after');
    });
  }, 60_000);

  test('do not keep anybody from leaving, whatever the server does', async () => {
    const { proxy, listening } = await open();
    // Longer than the test may take.
    proxy.delay(600_000);
    await listening.close();
    await announcer.close();
    proxy.heal();
  });
});

test('settings that name no server are refused with a sentence', () => {
  expect(() => openAnnouncer({}, 'channel', silent)).toThrow(/REDIS_URL or QUEUE_DATABASE_URL/);
});
