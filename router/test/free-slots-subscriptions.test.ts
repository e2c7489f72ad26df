import { expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { until } from '../../tests/support/system.ts';
import { slotAt } from './book-calendars.ts';
import { openLiveRouter } from './live-fixture.ts';
import { useLiveRouter, watch } from './subscription-client.ts';

const FREE = `subscription ($spaceId: ID!, $from: DateTime!, $to: DateTime!) {
  freeSlots(spaceId: $spaceId, from: $from, to: $to) { spaceId slots { startAt endAt } version }
}`;
const DAY = { from: '2030-06-03T00:00:00Z', to: '2030-06-04T00:00:00Z' };

const live = useLiveRouter();
const { connect } = live;

/** A space that is free at these hours. */
function newSpace(...hours: number[]): string {
  const spaceId = uuidv7();
  live.router.calendars.change(spaceId, ...hours);
  return spaceId;
}

const watchSlots = (spaceId: string, range: object = DAY, user: string | null = null) =>
  watch(connect(user), FREE, { spaceId, ...range });

async function startWatching(spaceId: string, range: object = DAY) {
  const watching = watchSlots(spaceId, range);
  await until('the present state', async () => watching.seen.length > 0 || watching.isOver);
  return watching;
}

/** Some turns of the event loop: enough for what does not wait for a timer. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const hoursOf = ({ slots }: { slots: { startAt: string }[] }) =>
  slots.map(({ startAt }) => new Date(startAt).getUTCHours());

test('an anonymous client receives the free slots as they are, then every change of them', async () => {
  const spaceId = newSpace(9, 10);
  const watching = await startWatching(spaceId);
  expect(watching.seen).toEqual([{ spaceId, slots: [slotAt(9), slotAt(10)], version: 1 }]);
  live.router.calendars.change(spaceId, 9);
  await until('the booking of another client', async () => watching.seen.length === 2);
  live.router.calendars.change(spaceId, 9, 10, 11);
  await until('the cancellation', async () => watching.seen.length === 3);
  expect(watching.seen.map(hoursOf)).toEqual([[9, 10], [9], [9, 10, 11]]);
  expect(watching.seen.map(({ version }) => version)).toEqual([1, 2, 3]);
});

test('a change of the calendar that leaves the slots as they were is not sent', async () => {
  const spaceId = newSpace(9);
  const watching = await startWatching(spaceId);
  live.router.calendars.change(spaceId, 9);
  live.router.calendars.change(spaceId, 9, 10);
  await until('the next state', async () => watching.seen.length === 2);
  expect(watching.seen.map(hoursOf)).toEqual([[9], [9, 10]]);
  expect(watching.seen[1].version).toBe(3);
});

test('who subscribes after a change that changed no slots receives the version of that change', async () => {
  const spaceId = newSpace(9);
  await startWatching(spaceId);
  live.router.calendars.change(spaceId, 9);
  const later = await startWatching(spaceId);
  expect(later.seen).toEqual([{ spaceId, slots: [slotAt(9)], version: 2 }]);
});

test('a subscription begins with the state after it, although no notification announced it', async () => {
  const spaceId = newSpace(9);
  const first = await startWatching(spaceId);
  live.router.calendars.isConnected = false;
  live.router.calendars.change(spaceId, 10);
  const second = await startWatching(spaceId);
  expect(second.seen.map(hoursOf)).toEqual([[10]]);
  await until('the first one has it, too', async () => first.seen.length === 2);
});

test('one change is computed once for a thousand watchers of one space, and sent to all of them', async () => {
  const spaceId = newSpace(9);
  const clients = Array.from({ length: 50 }, (_, n) => connect(n % 2 ? null : `user-${n}`));
  const watching = clients.flatMap((client) =>
    Array.from({ length: 20 }, () => watch(client, FREE, { spaceId, ...DAY })),
  );
  const allHave = (states: number) => async () =>
    watching.every(({ seen }) => seen.length === states);
  await until('all have the present state', allHave(1), 60);
  const before = live.router.calendars.computed;
  live.router.calendars.change(spaceId, 10);
  await until('all have the change', allHave(2), 30);
  expect(live.router.calendars.computed).toBe(before + 1);
  // Among the states is the last one of each, so that no watcher got another order.
  expect(watching.every(({ seen }) => hoursOf(seen[1])[0] === 10)).toBe(true);
}, 120_000);

test('instants with other offsets are the same range', async () => {
  const spaceId = newSpace(9);
  await startWatching(spaceId);
  const before = live.router.calendars.computed;
  const seoul = { from: '2030-06-03T09:00:00+09:00', to: '2030-06-04T09:00:00+09:00' };
  const watching = await startWatching(spaceId.toUpperCase(), seoul);
  expect(watching.seen).toMatchObject([{ spaceId, version: 1 }]);
  expect(live.router.calendars.computed).toBe(before);
});

test('a change during a read of an older state is read after it', async () => {
  const spaceId = newSpace(9);
  const watching = await startWatching(spaceId);
  const { calendars } = live.router;
  const { requests } = calendars;
  let respond = () => {};
  calendars.gate = new Promise((resolve) => {
    respond = resolve;
  });
  calendars.announce(spaceId);
  await turns();
  expect(calendars.requests).toBe(requests + 1);
  calendars.change(spaceId, 10);
  await turns();
  expect(calendars.requests).toBe(requests + 1);
  respond();
  await turns();
  expect(calendars.requests).toBeGreaterThanOrEqual(requests + 2);
  await until('the change', async () => watching.seen.length === 2);
  expect(watching.seen.map(hoursOf)).toEqual([[9], [10]]);
});

test('lost notifications are found by polling, and after a reconnection at once', async () => {
  const spaceId = newSpace(9);
  const watching = await startWatching(spaceId);
  live.router.calendars.isConnected = false;
  live.router.calendars.change(spaceId, 10);
  await until('the change by polling', async () => watching.seen.length === 2);
  live.router.calendars.change(spaceId, 11);
  const { requests } = live.router.calendars;
  live.router.calendars.reconnect();
  await turns();
  expect(live.router.calendars.requests).toBeGreaterThan(requests);
  await until('the change by the reconnection', async () => watching.seen.length === 3);
});

test('no watcher keeps old slots after an outage of book, or after the restore of an older database', async () => {
  const spaceId = newSpace(9);
  for (const hour of [10, 11, 12]) live.router.calendars.change(spaceId, hour);
  const watching = await startWatching(spaceId);
  live.router.calendars.isUp = false;
  live.router.calendars.restore(spaceId, 2, 15);
  await until('reads fail', async () => live.router.calendars.requests > 3);
  live.router.calendars.isUp = true;
  await until('the restored state', async () => watching.seen.length === 2);
  expect(watching.seen[1]).toEqual({ spaceId, slots: [slotAt(15)], version: 2 });
  live.router.calendars.restore(spaceId, 3, 16);
  await until('the next one', async () => watching.seen.length === 3);
});

test('a client waits for a space that was just listed, and for a book that does not respond yet', async () => {
  const spaceId = uuidv7();
  const early = watchSlots(spaceId);
  await until('book was asked', async () => live.router.calendars.requests > 1);
  expect(early.seen).toEqual([]);
  live.router.calendars.isUp = false;
  live.router.calendars.change(spaceId, 9);
  const requests = live.router.calendars.requests;
  await until('book was asked again', async () => live.router.calendars.requests > requests);
  live.router.calendars.isUp = true;
  await until('the present state', async () => early.seen.length === 1);
});

test('an unknown space is NOT_FOUND, and leaves nothing to poll', async () => {
  const watching = watchSlots(uuidv7());
  await until('the subscription is refused', async () => watching.isOver);
  expect(watching.errors).toMatchObject([
    { message: 'There is no such space.', extensions: { code: 'NOT_FOUND' } },
  ]);
  expect(live.router.subscriptions.count).toBe(0);
  const { requests } = live.router.calendars;
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(live.router.calendars.requests).toBe(requests);
});

test('a book that does not respond, as an older release, is SERVICE_UNAVAILABLE after ten seconds', async () => {
  live.router.calendars.isUp = false;
  const watching = watchSlots(newSpace(9));
  await until('the subscription is refused', async () => watching.isOver, 15);
  expect(watching.errors).toMatchObject([{ extensions: { code: 'SERVICE_UNAVAILABLE' } }]);
  expect(live.router.subscriptions.count).toBe(0);
}, 30_000);

test.each([
  ['a space that is no id', { spaceId: 'no-id' }, 'spaceId'],
  ['a range that ends before it starts', { to: '2030-06-02T00:00:00Z' }, 'to'],
  ['a range of more than 31 days', { to: '2030-07-04T00:00:01Z' }, 'to'],
  ['an instant without an offset', { from: '2030-06-03T00:00:00' }, undefined],
  ['an instant after the year 9999', { to: '9999-12-31T23:59:59-12:00' }, 'to'],
  ['an instant before the year 1', { from: '0000-06-03T00:00:00Z' }, 'from'],
])('%s is a bad request', async (_name, changes, field) => {
  const watching = watch(connect(null), FREE, { spaceId: newSpace(9), ...DAY, ...changes });
  await until('the subscription is refused', async () => watching.isOver);
  const extensions = { code: 'BAD_USER_INPUT', ...(field && { field }) };
  expect(watching.errors).toMatchObject([{ extensions }]);
  expect(live.router.calendars.requests).toBe(0);
});

test('clients without a token share the limit of their address, and users have their own', async () => {
  await live.router.close();
  live.router = await openLiveRouter({ perUser: 1, perAddress: 2, perProcess: 100 });
  const spaceId = newSpace(9);
  const client = connect(null);
  const watching = [1, 2].map(() => watch(client, FREE, { spaceId, ...DAY }));
  await until('both have started', async () => watching.every(({ seen }) => seen.length === 1));
  const third = watchSlots(spaceId);
  await until('the third one is refused', async () => third.isOver);
  expect(third.errors).toMatchObject([{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }]);
  const users = watchSlots(spaceId, DAY, 'kim');
  await until('the user has started', async () => users.seen.length === 1);
  watching[0]?.stop();
  await until('there is room again', async () => {
    const again = watchSlots(spaceId);
    await until('an outcome', async () => again.isOver || again.seen.length > 0);
    return again.seen.length > 0;
  });
});

test('clients without a token get half of the subscriptions of the process, and users the others', async () => {
  await live.router.close();
  live.router = await openLiveRouter({ perUser: 10, perAddress: 10, perProcess: 4 });
  const spaceId = newSpace(9);
  for (const _ of [1, 2]) expect((await startWatching(spaceId)).isOver).toBe(false);
  const third = await startWatching(spaceId);
  expect(third.errors).toMatchObject([{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }]);
  const users = [1, 2, 3].map(() => watchSlots(spaceId, DAY, 'kim'));
  await until('two have started, and one is refused', async () => {
    const started = users.filter(({ seen }) => seen.length === 1);
    return started.length === 2 && users.some(({ isOver }) => isOver);
  });
});

test('an anonymous WebSocket that watches free slots is not closed as idle', async () => {
  await live.router.close();
  const times = { anonymousMs: 200, signedInMs: 60_000 };
  live.router = await openLiveRouter(undefined, { perAddress: 10, perProcess: 10, ...times });
  const spaceId = newSpace(9);
  const watching = await startWatching(spaceId);
  await new Promise((resolve) => setTimeout(resolve, 600));
  live.router.calendars.change(spaceId, 10);
  await until('the change', async () => watching.seen.length === 2);
  expect(watching.isOver).toBe(false);
});
