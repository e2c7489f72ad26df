import { expect, test } from '@jest/globals';
import type { EventRecord } from '#platform/messaging/events.ts';
import { createMetrics } from '#platform/observability/metrics.ts';
import { countingBookings } from '../src/adapters/booking-counters.ts';

test('each status that a booking enters is counted once, and events without a new status are not', async () => {
  const metrics = createMetrics('book');
  const published: EventRecord[] = [];
  const relay = countingBookings({ publish: (events) => void published.push(...events) }, metrics);
  const event = (type: string, status: string) => ({ type, payload: { status } }) as EventRecord;
  const events = [
    event('Booked', 'REQUESTED'),
    event('BookingPaid', 'PAID'),
    event('BookingStatusChanged', 'REGISTERED'),
    event('BookingRescheduled', 'REGISTERED'),
    event('SlotBlocked', 'REGISTERED'),
  ];
  relay.publish(events);
  expect(published).toEqual(events);
  const counted = (await metrics.metrics())
    .split('\n')
    .flatMap(
      (line) =>
        /^spacerent_bookings_total\{status="(\w+)",.*\} (\d)/.exec(line)?.slice(1, 3).join(' ') ??
        [],
    );
  expect(counted).toHaveLength(10);
  expect(counted.filter((line) => !line.endsWith(' 0')).sort()).toEqual([
    'PAID 1',
    'REGISTERED 1',
    'REQUESTED 1',
  ]);
});
