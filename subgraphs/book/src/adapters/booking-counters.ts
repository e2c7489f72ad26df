import { Counter } from 'prom-client';
import { type BookingPayload, bookingEvents, bookingStatus } from '#contracts/book.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import type { Metrics } from '#platform/observability/metrics.ts';

/** Of the events of bookings, the only one that leaves the status as it is. */
const KEEPS_STATUS = 'BookingRescheduled';

/**
 * The same relay, which counts the statuses that bookings enter: each is exactly one event. It counts what this
 * process has committed; one that dies between commit and publication leaves its last events uncounted.
 */
export function countingBookings<R extends Pick<Relay, 'publish'>>(relay: R, metrics: Metrics): R {
  const bookings = new Counter({
    name: 'spacerent_bookings_total',
    help: 'Bookings that have entered a status. Per process.',
    labelNames: ['status'],
    registers: [metrics],
  });
  // A series that begins at 1 has no increase.
  for (const status of bookingStatus.options) bookings.inc({ status }, 0);
  return {
    ...relay,
    publish(events) {
      for (const { type, payload } of events) {
        if (!(type in bookingEvents) || type === KEEPS_STATUS) continue;
        bookings.inc({ status: (payload as BookingPayload).status });
      }
      relay.publish(events);
    },
  };
}
