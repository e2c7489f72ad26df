import { type Pool, statement } from '#platform/database/postgres.ts';
import { databaseGauge, type Metrics } from '#platform/observability/metrics.ts';
import { IS_STUCK, PENDING } from './status-lists.ts';

// One probe of the head of a partial index for each status.
const oldest = statement<{ status: string; seconds: number }>(
  'booking-oldest-by-status',
  `SELECT s.status, coalesce(extract(epoch FROM now() - since), 0)::float AS seconds
     FROM unnest(ARRAY[${PENDING}]::booking_status[])
       AS s (status)
     LEFT JOIN LATERAL (
       SELECT status_since AS since FROM booking b
        WHERE b.status = s.status
          AND b.status IN (${PENDING})
        ORDER BY status_since LIMIT 1) o ON TRUE`,
);

const stuck = statement<{ stuck: number }>(
  'booking-count-stuck',
  `SELECT count(*)::int AS stuck FROM booking WHERE ${IS_STUCK}`,
);

/** Measures at each scrape the age of pending bookings by status, and how many are stuck. */
export function bookingMetrics(pool: Pool, metrics: Metrics): void {
  databaseGauge(
    metrics,
    {
      name: 'spacerent_oldest_booking_seconds',
      help: 'For each status that a booking passes through: how long the oldest one has been in it',
      labelNames: ['status'],
    },
    async () =>
      (await oldest(pool)).map(({ status, seconds }) => ({ labels: { status }, value: seconds })),
  );
  databaseGauge(
    metrics,
    {
      name: 'spacerent_stuck_bookings',
      help: 'Bookings past the deadline of their status or of their change',
    },
    async () => [{ value: (await stuck(pool))[0]?.stuck ?? 0 }],
  );
}
