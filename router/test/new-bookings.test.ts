import { expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { until } from '../../tests/support/system.ts';
import { openLiveRouter } from './live-fixture.ts';
import { STATUS, toVersions, useLiveRouter, watch } from './subscription-client.ts';

const live = useLiveRouter();
const { connect } = live;

test('a subscription to a booking that mypage does not have yet waits for it', async () => {
  const { book, mypage } = live.router;
  const id = uuidv7();
  book.customers.set(id, 'kim');
  const watched = watch(connect('kim'), STATUS, { id });
  await until('mypage was read again', async () => mypage.reads >= 3);
  expect(watched.isOver).toBe(false);
  mypage.change(id, 'kim');
  await until('the view has arrived', async () => watched.seen.length === 1);
  mypage.change(id, 'kim');
  await until('the next version has arrived', async () => watched.seen.length === 2);
  expect(toVersions(watched.seen)).toEqual([1, 2]);
});

test('a subscription waits for mypage while book does not respond', async () => {
  const { book, mypage } = live.router;
  book.isDown = true;
  const id = uuidv7();
  const watched = watch(connect('kim'), STATUS, { id });
  await until('mypage was read again', async () => mypage.reads >= 2);
  mypage.change(id, 'kim');
  await until('the view has arrived', async () => watched.seen.length === 1);
});

test.each([
  ['does not exist', () => uuidv7()],
  [
    'belongs to another customer',
    () => {
      const id = uuidv7();
      live.router.book.customers.set(id, 'lee');
      live.router.mypage.change(id, 'lee');
      return id;
    },
  ],
])('a subscription to a booking that %s is refused after one read of mypage', async (_, book) => {
  const watched = watch(connect('kim'), STATUS, { id: book() });
  await until('the subscription is over', async () => watched.isOver);
  expect(watched.errors).toMatchObject([
    { message: 'There is no such booking.', extensions: { code: 'NOT_FOUND' } },
  ]);
  expect(live.router.mypage.reads).toBe(1);
});

test('a subscription to a booking that mypage does not show in time asks the client to try again', async () => {
  await live.router.close();
  live.router = await openLiveRouter(undefined, undefined, { newBookingTimeoutMs: 200 });
  const id = uuidv7();
  live.router.book.customers.set(id, 'kim');
  const watched = watch(connect('kim'), STATUS, { id });
  await until('the subscription is over', async () => watched.isOver);
  expect(watched.errors).toMatchObject([{ extensions: { code: 'SERVICE_UNAVAILABLE' } }]);
});
