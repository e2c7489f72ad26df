import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { relayMetrics } from '../messaging/relay-metrics.ts';
import { readUnacknowledged } from '../messaging/waiting-events.ts';
import { createMetrics } from '../observability/metrics.ts';
import { newEvent, TestOutbox } from './relay-outbox.ts';

let outbox: TestOutbox;

beforeAll(async () => {
  outbox = await TestOutbox.open();
});
afterEach(() => outbox.finishAll());
afterAll(() => outbox?.database.drop());

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

test('the waiting events are counted for each queue, with the age of the oldest', async () => {
  await outbox.insert(
    { ...newEvent('booking', 'space', 'mypage'), occurredAt: hoursAgo(1) },
    { ...newEvent('booking', 'mypage'), occurredAt: hoursAgo(2) },
    { ...newEvent('payment', 'mypage') },
  );
  const { pool } = outbox.database;
  const { events, oldestSeconds, queues } = await readUnacknowledged(pool);
  const rounded = queues.map(({ queue, events, oldestSeconds }) => [
    queue,
    events,
    Math.round(oldestSeconds / 3_600),
  ]);
  expect(rounded.sort()).toEqual([
    ['booking.mypage', 2, 2],
    ['booking.space', 1, 1],
    ['payment.mypage', 1, 0],
  ]);
  expect([events, Math.round(oldestSeconds / 3_600)]).toEqual([3, 2]);

  const metrics = createMetrics('test');
  relayMetrics(pool, metrics, new Map([['mypage', ['booking.mypage', 'booking.idle']]]));
  const text = await metrics.metrics();
  expect(text).toMatch(
    /spacerent_queue_waiting_events\{queue="booking.mypage",consumer="mypage",service="test"\} 2\n/,
  );
  expect(text).toMatch(/spacerent_queue_oldest_event_seconds\{queue="booking.mypage",.*\} 72\d\d/);
  expect(text).toMatch(/spacerent_queue_oldest_event_seconds\{queue="booking.idle",.*\} 0\n/);
});

test('the backlog of one consumer hides neither that of another nor costs more than the limit', async () => {
  const backlog = Array.from({ length: 30 }, () => ({
    ...newEvent('booking', 'mypage'),
    occurredAt: hoursAgo(3),
  }));
  await outbox.insert(...backlog);
  await outbox.expireLease(...backlog);
  // They are due later than the whole backlog.
  await outbox.insert({ ...newEvent('booking', 'space'), occurredAt: hoursAgo(1) });
  const { events, queues } = await readUnacknowledged(outbox.database.pool, 10);
  const hours = queues.map(({ queue, oldestSeconds }) => [
    queue,
    Math.round(oldestSeconds / 3_600),
  ]);
  expect(hours.sort()).toEqual([
    ['booking.mypage', 3],
    ['booking.space', 1],
  ]);
  expect(events).toBeGreaterThanOrEqual(10);
  expect(events).toBeLessThanOrEqual(20);
});
