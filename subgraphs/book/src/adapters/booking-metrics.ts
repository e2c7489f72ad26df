import { type Pool, statement } from '#platform/database/postgres.ts';
import { databaseGauge, databaseGauges } from '#platform/observability/database-gauges.ts';
import type { Metrics } from '#platform/observability/metrics.ts';
import { IS_STUCK, PENDING } from './status-lists.ts';

/** More of one status are not counted: a scrape must not read them all. */
const MAX_COUNTED = 10_000;

// Of a partial index, for each status: its head, and as many entries as are counted.
const pending = statement<{ status: string; seconds: number; bookings: number }>(
  'booking-pending',
  `SELECT s.status, coalesce(extract(epoch FROM now() - o.since), 0)::float AS seconds,
          (SELECT count(*)::int
             FROM (SELECT FROM booking b
                    WHERE b.status = s.status
                      AND b.status IN (${PENDING}) LIMIT ${MAX_COUNTED}) counted) AS bookings
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
  `SELECT count(*)::int AS stuck
     FROM (SELECT FROM booking WHERE ${IS_STUCK} LIMIT ${MAX_COUNTED}) counted`,
);

/** Measures at each scrape the age of pending bookings by status, and how many are stuck. */
export function bookingMetrics(pool: Pool, metrics: Metrics): void {
  databaseGauges(metrics, () => pending(pool), [
    {
      name: 'spacerent_oldest_booking_seconds',
      help: 'For each status that a booking passes through: how long the oldest one has been in it. Whole database.',
      labelNames: ['status'],
      toSamples: (rows) =>
        rows.map(({ status, seconds }) => ({ labels: { status }, value: seconds })),
    },
    {
      name: 'spacerent_pending_bookings',
      help: `Bookings in each status that they pass through, ${MAX_COUNTED} at most. Whole database.`,
      labelNames: ['status'],
      toSamples: (rows) =>
        rows.map(({ status, bookings }) => ({ labels: { status }, value: bookings })),
    },
  ]);
  databaseGauge(
    metrics,
    {
      name: 'spacerent_stuck_bookings',
      help: `Bookings past the deadline of their status or of their change, ${MAX_COUNTED} at most. Whole database.`,
    },
    async () => [{ value: (await stuck(pool))[0]?.stuck ?? 0 }],
  );
}
