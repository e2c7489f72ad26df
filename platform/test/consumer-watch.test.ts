import { expect, test } from '@jest/globals';
import { watchConsumer } from '../messaging/consumer-watch.ts';
import type { EventRecord } from '../messaging/events.ts';
import { NotUnderstood, RetryLater } from '../messaging/failures.ts';
import { createLogger } from '../observability/logger.ts';
import { createMetrics } from '../observability/metrics.ts';

function openWatch() {
  const metrics = createMetrics('space');
  const watch = watchConsumer({
    name: 'space',
    deadLetters: { count: async () => 0 },
    metrics,
    logger: createLogger('test', 'silent'),
  });
  const lines = async (name: string) =>
    (await metrics.metrics()).split('\n').filter((line) => line.startsWith(name));
  return { watch, lines };
}

const event = (occurredAt: Date) =>
  ({ topic: 'booking', type: 'Booked', occurredAt: occurredAt.toISOString() }) as EventRecord;

test('attempts to process an event are counted and timed by queue and by how they end', async () => {
  const { watch, lines } = openWatch();
  const booked = event(new Date());
  await watch.measure(booked, async () => {});
  for (const error of [new RetryLater('later'), new NotUnderstood('newer'), new TypeError('bug')]) {
    await expect(watch.measure(booked, () => Promise.reject(error))).rejects.toBe(error);
  }
  const counts = await lines('spacerent_event_processing_seconds_count');
  const pattern = /queue="booking.space",outcome="([\w-]+)"\} 1$/;
  expect(counts.map((line) => pattern.exec(line)?.[1]).sort()).toEqual([
    ...['not-understood', 'poisoned', 'processed', 'transient'],
  ]);
});

test('the delay of an event from a clock that is ahead is 0', async () => {
  const { watch, lines } = openWatch();
  await watch.measure(event(new Date(Date.now() + 3_600_000)), async () => {});
  await watch.measure(event(new Date(Date.now() - 7_000)), async () => {});
  const [sum = ''] = await lines('spacerent_event_delay_seconds_sum');
  expect(Number(sum.split(' ')[1])).toBeGreaterThanOrEqual(7);
  expect(Number(sum.split(' ')[1])).toBeLessThan(60);
});
