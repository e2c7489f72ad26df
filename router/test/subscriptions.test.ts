import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Client, createClient } from 'graphql-ws';
import { v7 as uuidv7 } from 'uuid';
import { WebSocket } from 'ws';
import { Random } from '../../tests/faults/random.ts';
import { until } from '../../tests/support/system.ts';
import { openLiveRouter } from './live-fixture.ts';

const STATUS = `subscription ($id: ID!, $after: Int) {
  bookingStatus(bookingId: $id, afterVersion: $after) { version status booking { headcount } }
}`;
const MINE = 'subscription { myBookingStatuses { bookingId version } }';

let router: Awaited<ReturnType<typeof openLiveRouter>>;
let clients: Client[] = [];

beforeEach(async () => {
  router = await openLiveRouter();
});

afterEach(async () => {
  for (const client of clients) await client.dispose();
  clients = [];
  await router.close();
});

function connect(user = 'kim'): Client {
  const client = createClient({
    url: router.url,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: user },
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => {},
  });
  clients.push(client);
  return client;
}

function watch(client: Client, query: string, variables: Record<string, unknown> = {}) {
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers and fail where they differ
  const seen: any[] = [];
  const watching = { seen, isOver: false, stop: () => {} };
  watching.stop = client.subscribe(
    { query, variables },
    {
      next: ({ data }) => void seen.push(data?.bookingStatus ?? data?.myBookingStatuses),
      error: () => {
        watching.isOver = true;
      },
      complete: () => {
        watching.isOver = true;
      },
    },
  );
  return watching;
}

const versionsOf = (seen: { version: number }[]) => seen.map(({ version }) => version);
const counting = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

test('asks the other subgraphs once per version, however many clients watch it', async () => {
  const id = uuidv7();
  router.mypage.change(id);
  const watching = Array.from({ length: 50 }, () => watch(connect(), STATUS, { id }));
  await until('all have begun', async () => watching.every(({ seen }) => seen.length === 1));
  for (let n = 2; n <= 10; n += 1) {
    router.mypage.change(id);
    await pause(5);
  }
  await until('all are told', async () => watching.every(({ seen }) => seen.length === 10));
  for (const { seen } of watching) expect(versionsOf(seen)).toEqual(counting(1, 10));
  expect(watching[0]?.seen[0]).toMatchObject({ booking: { headcount: 3 } });
  expect(router.asked).toHaveLength(10);
});

test('tells each who asked differently, or is somebody else, of their own', async () => {
  const id = uuidv7();
  router.mypage.change(id, 'kim');
  const mine = watch(connect('kim'), STATUS, { id });
  const other = watch(connect('kim'), STATUS.replace('headcount', 'id headcount'), { id });
  const lee = watch(connect('lee'), STATUS, { id });
  await until(
    'all have an answer',
    async () => mine.seen.length + other.seen.length === 2 && lee.isOver,
  );
  expect(lee.seen).toEqual([]);
  expect(other.seen[0].booking.id).toBe(id);
  expect(router.asked).toHaveLength(2);
});

test('keeps the order and misses nothing, while everything takes differently long', async () => {
  const random = new Random(String(jest.getSeed()));
  router.mypage.delay = () => random.next() * 20;
  router.book.delay = () => random.next() * 20;
  const ids = Array.from({ length: 5 }, () => uuidv7());
  for (const id of ids) router.mypage.change(id);
  const client = connect();
  const watching: { id: string; watched: ReturnType<typeof watch> }[] = [];
  const last = new Map<string, number>();
  for (let n = 0; n < 150; n += 1) {
    const id = ids[n % ids.length] as string;
    last.set(id, router.mypage.change(id));
    if (n % 3 === 0) watching.push({ id, watched: watch(client, STATUS, { id }) });
    await pause(random.next() * 8);
  }
  for (const { id, watched } of watching) {
    const end = last.get(id) as number;
    await until('the last version', async () => watched.seen.at(-1)?.version === end);
    expect(versionsOf(watched.seen)).toEqual(counting(watched.seen[0].version, end));
  }
});

test('resumes after a version without loss or repetition, also when nothing is new', async () => {
  const id = uuidv7();
  for (let n = 0; n < 5; n += 1) router.mypage.change(id);
  const client = connect();
  const resumed = watch(client, STATUS, { id, after: 2 });
  const current = watch(client, STATUS, { id, after: 5 });
  await until('what was missed', async () => resumed.seen.length === 3);
  router.mypage.change(id);
  await until('what is new', async () => resumed.seen.length === 4 && current.seen.length === 1);
  expect(versionsOf(resumed.seen)).toEqual([3, 4, 5, 6]);
  expect(versionsOf(current.seen)).toEqual([6]);
});

describe('a subscription to a final booking', () => {
  async function cancelledBooking() {
    const id = uuidv7();
    router.mypage.change(id);
    const watching = watch(connect(), STATUS, { id });
    await until('it has begun', async () => watching.seen.length === 1);
    return { id, watching };
  }

  test('completes when the view is complete, and shows what follows the last status', async () => {
    const { id, watching } = await cancelledBooking();
    router.mypage.change(id, 'kim', 'CANCELLED', false);
    const late = watch(connect(), STATUS, { id, after: 2 });
    await pause(1_100);
    expect([watching.isOver, late.isOver]).toEqual([false, false]);
    router.mypage.change(id, 'kim', 'CANCELLED', true);
    await until('they are over', async () => watching.isOver && late.isOver);
    expect(versionsOf(watching.seen)).toEqual([1, 2, 3]);
    expect(versionsOf(late.seen)).toEqual([3]);
    const known = watch(connect(), STATUS, { id, after: 3 });
    await until('nothing is to follow', async () => known.isOver);
    expect(known.seen).toEqual([]);
  });

  test('completes after a bounded time when the view does not become complete', async () => {
    await router.close();
    router = await openLiveRouter(undefined, undefined, 300);
    const { id, watching } = await cancelledBooking();
    router.mypage.change(id, 'kim', 'CANCELLED', false);
    await until('it is over', async () => watching.isOver);
    expect(versionsOf(watching.seen)).toEqual([1, 2]);
  });

  test('completes after a moment when an older mypage does not say whether it is', async () => {
    const { id, watching } = await cancelledBooking();
    router.mypage.change(id, 'kim', 'CANCELLED');
    router.mypage.change(id, 'kim', 'CANCELLED');
    await until('it is over', async () => watching.isOver);
    expect(versionsOf(watching.seen)).toEqual([1, 2, 3]);
  });
});

test('misses nothing that happens while a client that knows the present state is let in', async () => {
  const id = uuidv7();
  const known = router.mypage.change(id);
  const client = connect();
  const before = watch(client, STATUS, { id });
  await until('somebody watches', async () => before.seen.length === 1);
  router.mypage.delay = () => 100;
  const resumed = watch(client, STATUS, { id, after: known });
  const all = watch(client, MINE);
  await pause(20);
  router.mypage.delay = () => 0;
  router.mypage.change(id);
  await until('all are told', async () => resumed.seen.length === 1 && all.seen.length === 1);
  expect([resumed.seen[0].version, all.seen[0].version]).toEqual([2, 2]);
});

test('finds what no notification told, when the connection is back and from time to time', async () => {
  const id = uuidv7();
  router.mypage.change(id);
  const client = connect();
  const one = watch(client, STATUS, { id });
  const all = watch(client, MINE);
  await until(
    'both have begun',
    async () => one.seen.length === 1 && router.subscriptions.count === 2,
  );
  router.mypage.isConnected = false;
  router.mypage.change(id);
  router.mypage.change(id);
  router.mypage.reconnect();
  await until('both are told', async () => one.seen.length === 3 && all.seen.length === 2);
  // No notification says so: the next poll finds it.
  router.mypage.change(id);
  await until(
    'both are told again',
    async () => one.seen.length === 4 && all.seen.length === 3,
    10,
  );
  expect(versionsOf(one.seen)).toEqual([1, 2, 3, 4]);
  expect(versionsOf(all.seen)).toEqual([2, 3, 4]);
  // A notification that comes late, or twice, changes nothing.
  router.mypage.announce({ bookingId: id, customerId: 'kim', version: 2 });
  router.mypage.announce({ bookingId: id, customerId: 'kim', version: 4 });
  router.mypage.isConnected = true;
  router.mypage.change(id);
  await until(
    'the newest is told',
    async () => [...one.seen, ...all.seen].filter(({ version }) => version === 5).length === 2,
  );
  expect(versionsOf(one.seen)).toEqual([1, 2, 3, 4, 5]);
  expect(versionsOf(all.seen)).toEqual([2, 3, 4, 5]);
});

test('a client that takes nothing delays nobody, and gets the latest state when it does', async () => {
  const id = uuidv7();
  router.mypage.change(id);
  const slow = new WebSocket(router.url, 'graphql-transport-ws');
  const received: number[] = [];
  slow.on('message', (data) => {
    const message = JSON.parse(String(data));
    if (message.type === 'connection_ack') {
      const payload = { query: LARGE, variables: { id } };
      slow.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
    }
    if (message.type === 'next') received.push(message.payload.data.bookingStatus.version);
  });
  await new Promise((resolve) => slow.once('open', resolve));
  slow.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'kim' } }));
  const quick = watch(connect(), LARGE, { id });
  await until('both have begun', async () => received.length === 1 && quick.seen.length === 1);

  slow.pause();
  const count = 600;
  for (let n = 0; n < count; n += 1) {
    router.mypage.change(id);
    await pause(1);
  }
  await until('the quick one has all', async () => quick.seen.length === count + 1);
  expect(versionsOf(quick.seen)).toEqual(counting(1, count + 1));
  slow.resume();
  await until('the slow one has the latest', async () => received.at(-1) === count + 1);
  // States were left out, none was told twice or out of order.
  expect(received.length).toBeLessThan(count);
  expect(received).toEqual([...new Set(received)].sort((a, b) => a - b));
  slow.terminate();
}, 60_000);

test('leaves nothing behind after ten thousand clients came and went', async () => {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  const ids = Array.from({ length: 20 }, () => uuidv7());
  for (const id of ids) router.mypage.change(id);
  const comeAndGo = async (count: number) => {
    for (let done = 0; done < count; done += 50) {
      const visits = Array.from({ length: 50 }, (_, n) => visit(ids[n % ids.length] as string));
      await Promise.all(visits);
    }
  };
  const heap = async () => {
    await until('all are gone', async () => router.subscriptions.count === 0);
    await pause(300);
    router.asked.length = 0;
    collect();
    return process.memoryUsage().heapUsed;
  };
  await comeAndGo(1_000);
  const before = await heap();
  const handles = process.getActiveResourcesInfo();
  await comeAndGo(10_000);
  const after = await heap();
  // Timers and sockets end a moment after their client; what a client leaked would never end.
  await until('no more handles than before', async () => {
    return process.getActiveResourcesInfo().length <= handles.length;
  });
  // Less than 200 bytes for each: noise, not a leak.
  expect(after - before).toBeLessThan(2_000_000);
  // It takes half a minute of the processor.
}, 400_000);

/** Connects, subscribes, sees the present state, and leaves without a word every other time. */
let visits = 0;
function visit(id: string): Promise<void> {
  visits += 1;
  const isPolite = visits % 2 === 0;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(router.url, 'graphql-transport-ws');
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'kim' } })),
    );
    socket.on('message', (data) => {
      const { type } = JSON.parse(String(data));
      const payload = { query: STATUS, variables: { id } };
      if (type === 'connection_ack') {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
      } else if (type === 'next') {
        if (isPolite) socket.send(JSON.stringify({ id: '1', type: 'complete' }));
        if (isPolite) socket.close();
        else socket.terminate();
      } else reject(new Error(`unexpected: ${String(data)}`));
    });
    socket.on('error', reject);
    socket.on('close', () => resolve());
  });
}

/** Answers of some 30 KB. */
const LARGE = `subscription ($id: ID!) { bookingStatus(bookingId: $id) { version
  ${Array.from({ length: 500 }, (_, n) => `aRatherLongAliasToFillTheAnswerWith${n}: spaceName`).join(' ')} } }`;
