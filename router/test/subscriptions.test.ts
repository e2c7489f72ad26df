import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { Random } from '../../tests/faults/random.ts';
import { until } from '../../tests/support/system.ts';
import { openLiveRouter } from './live-fixture.ts';
import { numbers, STATUS, toVersions, useLiveRouter, watch } from './subscription-client.ts';

const MINE = 'subscription { myBookingStatuses { bookingId version } }';

const live = useLiveRouter();
const { connect } = live;

test('each version is requested from other subgraphs once, for any number of clients', async () => {
  const id = uuidv7();
  live.router.mypage.change(id);
  const watching = Array.from({ length: 50 }, () => watch(connect(), STATUS, { id }));
  await until('all subscriptions have started', async () =>
    watching.every(({ seen }) => seen.length === 1),
  );
  for (let n = 2; n <= 10; n += 1) {
    live.router.mypage.change(id);
    await pause(5);
  }
  await until('all clients have all versions', async () =>
    watching.every(({ seen }) => seen.length === 10),
  );
  for (const { seen } of watching) expect(toVersions(seen)).toEqual(numbers(1, 10));
  expect(watching[0]?.seen[0]).toMatchObject({ booking: { headcount: 3 } });
  expect(live.router.requests).toHaveLength(10);
});

test('clients with another selection or another principal get results of their own', async () => {
  const id = uuidv7();
  live.router.mypage.change(id, 'kim');
  const mine = watch(connect('kim'), STATUS, { id });
  const other = watch(connect('kim'), STATUS.replace('headcount', 'id headcount'), { id });
  const lee = watch(connect('lee'), STATUS, { id });
  await until(
    'all subscriptions have a result',
    async () => mine.seen.length + other.seen.length === 2 && lee.isOver,
  );
  expect(lee.seen).toEqual([]);
  expect(other.seen[0].booking.id).toBe(id);
  expect(live.router.requests).toHaveLength(2);
});

test('versions arrive in order and without loss while delays vary', async () => {
  const random = new Random(String(jest.getSeed()));
  live.router.mypage.delay = () => random.next() * 20;
  live.router.book.delay = () => random.next() * 20;
  const ids = Array.from({ length: 5 }, () => uuidv7());
  for (const id of ids) live.router.mypage.change(id);
  const client = connect();
  const watching: { id: string; watched: ReturnType<typeof watch> }[] = [];
  const last = new Map<string, number>();
  for (let n = 0; n < 150; n += 1) {
    const id = ids[n % ids.length] as string;
    last.set(id, live.router.mypage.change(id));
    if (n % 3 === 0) watching.push({ id, watched: watch(client, STATUS, { id }) });
    await pause(random.next() * 8);
  }
  for (const { id, watched } of watching) {
    const end = last.get(id) as number;
    await until('the last version', async () => watched.seen.at(-1)?.version === end);
    expect(toVersions(watched.seen)).toEqual(numbers(watched.seen[0].version, end));
  }
});

test('a subscription resumes after a version without loss or repetition', async () => {
  const id = uuidv7();
  for (let n = 0; n < 5; n += 1) live.router.mypage.change(id);
  const client = connect();
  const resumed = watch(client, STATUS, { id, after: 2 });
  const current = watch(client, STATUS, { id, after: 5 });
  await until('the missed versions', async () => resumed.seen.length === 3);
  live.router.mypage.change(id);
  await until(
    'the new version',
    async () => resumed.seen.length === 4 && current.seen.length === 1,
  );
  expect(toVersions(resumed.seen)).toEqual([3, 4, 5, 6]);
  expect(toVersions(current.seen)).toEqual([6]);
});

describe('a subscription to a final booking', () => {
  async function cancelledBooking() {
    const id = uuidv7();
    live.router.mypage.change(id);
    const watching = watch(connect(), STATUS, { id });
    await until('the subscription has started', async () => watching.seen.length === 1);
    return { id, watching };
  }

  test('a subscription to a final booking completes when the view is complete', async () => {
    const { id, watching } = await cancelledBooking();
    live.router.mypage.change(id, 'kim', 'CANCELLED', false);
    const late = watch(connect(), STATUS, { id, after: 2 });
    await pause(1_100);
    expect([watching.isOver, late.isOver]).toEqual([false, false]);
    live.router.mypage.change(id, 'kim', 'CANCELLED', true);
    await until('both subscriptions are complete', async () => watching.isOver && late.isOver);
    expect(toVersions(watching.seen)).toEqual([1, 2, 3]);
    expect(toVersions(late.seen)).toEqual([3]);
    const upToDate = watch(connect(), STATUS, { id, after: 3 });
    await until('the subscription is complete at once', async () => upToDate.isOver);
    expect(upToDate.seen).toEqual([]);
  });

  test('a subscription to a final booking completes after a timeout when the view stays incomplete', async () => {
    await live.router.close();
    live.router = await openLiveRouter(undefined, undefined, { completionTimeoutMs: 300 });
    const { id, watching } = await cancelledBooking();
    live.router.mypage.change(id, 'kim', 'CANCELLED', false);
    await until('the subscription is complete', async () => watching.isOver);
    expect(toVersions(watching.seen)).toEqual([1, 2]);
  });

  test('a subscription to a final booking completes after a delay when an older mypage sends no isComplete', async () => {
    const { id, watching } = await cancelledBooking();
    live.router.mypage.change(id, 'kim', 'CANCELLED');
    live.router.mypage.change(id, 'kim', 'CANCELLED');
    await until('the subscription is complete', async () => watching.isOver);
    expect(toVersions(watching.seen)).toEqual([1, 2, 3]);
  });
});

test('a resumed subscription misses no version that arrives while it starts', async () => {
  const id = uuidv7();
  const present = live.router.mypage.change(id);
  const client = connect();
  const before = watch(client, STATUS, { id });
  await until('another client is subscribed', async () => before.seen.length === 1);
  live.router.mypage.delay = () => 100;
  const resumed = watch(client, STATUS, { id, after: present });
  const all = watch(client, MINE);
  await pause(20);
  live.router.mypage.delay = () => 0;
  live.router.mypage.change(id);
  await until(
    'both subscriptions have the version',
    async () => resumed.seen.length === 1 && all.seen.length === 1,
  );
  expect([resumed.seen[0].version, all.seen[0].version]).toEqual([2, 2]);
});

test('versions without a notification are found after a reconnection and by polling', async () => {
  const id = uuidv7();
  live.router.mypage.change(id);
  const client = connect();
  const one = watch(client, STATUS, { id });
  const all = watch(client, MINE);
  await until(
    'both subscriptions have started',
    async () => one.seen.length === 1 && live.router.subscriptions.count === 2,
  );
  live.router.mypage.isConnected = false;
  live.router.mypage.change(id);
  live.router.mypage.change(id);
  live.router.mypage.reconnect();
  await until(
    'both subscriptions have the versions',
    async () => one.seen.length === 3 && all.seen.length === 2,
  );
  // Without a notification, the next poll finds the version.
  live.router.mypage.change(id);
  await until(
    'both subscriptions have the next version',
    async () => one.seen.length === 4 && all.seen.length === 3,
    10,
  );
  expect(toVersions(one.seen)).toEqual([1, 2, 3, 4]);
  expect(toVersions(all.seen)).toEqual([2, 3, 4]);
  // A late or repeated notification has no effect.
  live.router.mypage.announce({ bookingId: id, customerId: 'kim', version: 2 });
  live.router.mypage.announce({ bookingId: id, customerId: 'kim', version: 4 });
  live.router.mypage.isConnected = true;
  live.router.mypage.change(id);
  await until(
    'the newest version arrives',
    async () => [...one.seen, ...all.seen].filter(({ version }) => version === 5).length === 2,
  );
  expect(toVersions(one.seen)).toEqual([1, 2, 3, 4, 5]);
  expect(toVersions(all.seen)).toEqual([2, 3, 4, 5]);
});
