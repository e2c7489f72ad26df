import { expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { until } from '../../tests/support/system.ts';
import { toVersions, useLiveRouter, watch } from './subscription-client.ts';

const HOSTED = `subscription ($spaceId: ID) {
  hostBookings(spaceId: $spaceId) {
    bookingId spaceId spaceName customerId slot { startAt endAt } headcount price { amount currency }
    refunded { amount } status note requestedAt decideBefore version
  }
}`;
const MINE = 'subscription { myBookingStatuses { bookingId version } }';

const live = useLiveRouter();
const { connect } = live;

/** A host with a space of their own. */
const newHost = (hostId = `host-${uuidv7()}`) => ({ hostId, spaceId: uuidv7() });

/** Subscribes as the user, and waits until the subscription has started. */
async function start(userId: string, query = HOSTED, variables: Record<string, unknown> = {}) {
  const before = live.router.subscriptions.count;
  const watching = watch(connect(userId), query, variables);
  await until(
    'the subscription has started or ended',
    async () => live.router.subscriptions.count > before || watching.isOver,
  );
  return watching;
}

const SENTINEL = uuidv7();

test('a host receives every change of the bookings of their spaces, and of no other host’s', async () => {
  const [haru, other] = [newHost(), newHost()];
  const watching = await start(haru.hostId);
  const [mine, theirs] = [uuidv7(), uuidv7()];
  live.router.mypage.changeAt(other, theirs);
  live.router.mypage.changeAt(haru, mine);
  live.router.mypage.change(uuidv7(), haru.hostId);
  live.router.mypage.changeAt(haru, mine);
  await until('both versions', async () => watching.seen.length === 2);
  expect(watching.seen[0]).toEqual({
    ...{ bookingId: mine, spaceId: haru.spaceId, spaceName: 'Space', customerId: 'kim' },
    slot: { startAt: expect.any(String), endAt: expect.any(String) },
    ...{ headcount: 2, price: { amount: 1, currency: 'KRW' }, refunded: { amount: 0 } },
    ...{ status: 'PAID', note: 'We bring a cake', requestedAt: expect.any(String) },
    ...{ decideBefore: null, version: 1 },
  });
  expect(toVersions(watching.seen)).toEqual([1, 2]);
});

test('a host never receives a version of another host, also when a notification names the wrong one', async () => {
  const [haru, other] = [newHost(), newHost()];
  const watching = await start(haru.hostId);
  const theirs = uuidv7();
  live.router.mypage.changeAt(other, theirs);
  live.router.mypage.announce({
    ...{ bookingId: theirs, customerId: 'kim', hostId: haru.hostId, version: 1 },
  });
  await until('the wrong booking was read', async () => live.router.mypage.reads > 0);
  live.router.mypage.changeAt(haru, SENTINEL);
  await until('the next version', async () => watching.seen.length === 1);
  expect(watching.seen[0].bookingId).toBe(SENTINEL);
});

test('a host who names a space receives the changes of its bookings only', async () => {
  const haru = newHost();
  const other = { ...haru, spaceId: uuidv7() };
  const [all, one] = [
    await start(haru.hostId),
    await start(haru.hostId, HOSTED, { spaceId: haru.spaceId.toUpperCase() }),
  ];
  const foreign = await start(newHost().hostId, HOSTED, { spaceId: haru.spaceId });
  live.router.mypage.changeAt(other, uuidv7());
  const mine = uuidv7();
  live.router.mypage.changeAt(haru, mine);
  await until('all versions', async () => all.seen.length === 2 && one.seen.length === 1);
  expect(one.seen[0].bookingId).toBe(mine);
  expect(foreign.seen).toEqual([]);
});

test('one version is read once for any number of watching hosts’ clients', async () => {
  const haru = newHost();
  const watching = Array.from({ length: 20 }, () => watch(connect(haru.hostId), HOSTED));
  await until('all have started', async () => live.router.subscriptions.count === 20);
  const reads = live.router.mypage.reads;
  live.router.mypage.changeAt(haru, uuidv7());
  await until('all have the version', async () => watching.every(({ seen }) => seen.length === 1));
  expect(live.router.mypage.reads).toBe(reads + 1);
});

test.each([
  ['a customer', 'kim', 'FORBIDDEN'],
  ['an anonymous client', null, 'UNAUTHENTICATED'],
])('the bookings of a host are refused to %s', async (_who, userId, code) => {
  const watching = watch(connect(userId), HOSTED);
  await until('the subscription is refused', async () => watching.isOver);
  expect(watching.errors).toMatchObject([{ extensions: { code } }]);
  expect(live.router.subscriptions.count).toBe(0);
});

test('a space that is no id is a bad request', async () => {
  for (const spaceId of ['', 'no-id']) {
    const watching = watch(connect(newHost().hostId), HOSTED, { spaceId });
    await until('the subscription is refused', async () => watching.isOver);
    expect(watching.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  }
});

test('changes without a notification are found after a reconnection, and by polling', async () => {
  const haru = newHost();
  const watching = await start(haru.hostId);
  const mine = uuidv7();
  live.router.mypage.isConnected = false;
  live.router.mypage.changeAt(haru, mine);
  live.router.mypage.changeAt(haru, mine);
  live.router.mypage.reconnect();
  await until('the versions after a reconnection', async () => watching.seen.length === 2);
  live.router.mypage.changeAt(haru, mine);
  await until('the version of the next poll', async () => watching.seen.length === 3, 10);
  expect(toVersions(watching.seen)).toEqual([1, 2, 3]);
}, 30_000);

test('changes whose host is named late are found by polling, in order', async () => {
  const haru = newHost();
  const watching = await start(haru.hostId);
  const kims = await start('kim', MINE);
  const mine = uuidv7();
  live.router.mypage.change(mine);
  live.router.mypage.change(mine);
  await until('the customer has the versions', async () => kims.seen.length === 2);
  live.router.mypage.nameHost(mine, haru);
  await until('the host has the versions', async () => watching.seen.length === 2, 10);
  expect(toVersions(watching.seen)).toEqual([1, 2]);
  expect(toVersions(kims.seen)).toEqual([1, 2]);
}, 30_000);

test('a host receives nothing of what happened before the subscription', async () => {
  const haru = newHost();
  live.router.mypage.changeAt(haru, uuidv7());
  await new Promise((resolve) => setTimeout(resolve, 20));
  const watching = await start(haru.hostId);
  const next = uuidv7();
  live.router.mypage.changeAt(haru, next);
  await until('the next version', async () => watching.seen.length === 1);
  expect(watching.seen[0].bookingId).toBe(next);
});
