import { namedStatement } from '#platform/database/named-statement.ts';
import type { SlotTerms } from '../domain/booking-rules.ts';
import { EXPIRING } from './status-lists.ts';

export interface CalendarRow {
  /** The number of the query, from 1. */
  place: number;
  spaceId: string;
  /** Only in the first row of each space. */
  terms: (SlotTerms & { version: number }) | null;
  holds: string;
  /** Null: the calendar was never read before. */
  version: number | null;
  fingerprint: string | null;
  /** Start and end of each hold, in milliseconds since 1970; null where `after` is the version. */
  occupied: [number, number][] | null;
  now: Date;
}

// statement_timestamp(), because in a transaction that waited for a lock now() is before the wait.
const isInTheWay = `h.live AND (h.booking_id = ANY (space.expired)) IS NOT TRUE`;

/**
 * The calendars as they are in one snapshot. A set of holds is identified by their number and the sum of their
 * hashed ids: a hold is never moved, only added and released. Ended holds are left out, so that the cost does
 * not grow with a space's past; two days late, because a space's buffers widen them.
 */
export const readCalendarRows = namedStatement<
  CalendarRow,
  'spaceIds' | 'froms' | 'tos' | 'afters'
>(
  'calendar-read',
  `WITH query AS MATERIALIZED (
     SELECT * FROM unnest(:spaceIds::uuid[], :froms::timestamptz[], :tos::timestamptz[], :afters::int[])
              WITH ORDINALITY AS q (space_id, from_at, to_at, after, place)),
   space AS MATERIALIZED (
     SELECT s.*, c.version AS calendar_version, c.fingerprint,
            ARRAY(SELECT b.id FROM booking b
                   WHERE b.space_id = s.id AND b.status IN (${EXPIRING})
                     AND b.hold_expires_at <= statement_timestamp()) AS expired
       FROM catalogue_space s LEFT JOIN space_calendar c ON c.space_id = s.id
      WHERE s.id IN (SELECT space_id FROM query)),
   held AS MATERIALIZED (
     SELECT space.id, h.holds FROM space CROSS JOIN LATERAL (
       SELECT count(*) || ':' || coalesce(sum(hashint8extended(h.id, 0)), 0) AS holds
         FROM slot_hold h
        WHERE h.space_id = space.id AND ${isInTheWay}
          AND tstzrange(h.start_at, h.end_at, '[)')
              && tstzrange(date_trunc('day', statement_timestamp(), 'UTC') - interval '2 days', NULL)) h)
   SELECT q.place::int AS place, q.space_id AS "spaceId", held.holds, space.calendar_version AS version,
          space.fingerprint, statement_timestamp() AS now,
          CASE WHEN row_number() OVER (PARTITION BY q.space_id ORDER BY q.place) = 1 THEN
            jsonb_build_object('name', space.name, 'timeZone', space.time_zone, 'state', space.state,
              'bookingRules', space.booking_rules, 'openingHours', space.opening_hours,
              'openingExceptions', space.opening_exceptions, 'version', space.version) END AS terms,
          CASE WHEN q.after IS DISTINCT FROM space.calendar_version THEN (
            SELECT coalesce(jsonb_agg(jsonb_build_array(
                     extract(epoch FROM h.start_at) * 1000, extract(epoch FROM h.end_at) * 1000)
                     ORDER BY h.start_at), '[]')
              FROM slot_hold h
             WHERE h.space_id = q.space_id AND ${isInTheWay}
               AND tstzrange(h.start_at, h.end_at, '[)') && tstzrange(
                     q.from_at - (space.booking_rules->>'bufferBeforeMinutes')::int * interval '1 minute',
                     q.to_at + (space.booking_rules->>'bufferAfterMinutes')::int * interval '1 minute', '[)'))
          END AS occupied
     FROM query q JOIN space ON space.id = q.space_id JOIN held ON held.id = q.space_id`,
);

// In the order of the ids, here and below: of two readers one waits, and never each for the other.
export const insertCalendars = namedStatement<Record<string, never>, 'spaceIds'>(
  'calendar-insert',
  `INSERT INTO space_calendar (space_id, version, fingerprint)
   SELECT id, 0, '' FROM unnest(:spaceIds::uuid[]) AS i (id) ORDER BY id
   ON CONFLICT DO NOTHING`,
);

export const lockCalendars = namedStatement<Record<string, never>, 'spaceIds'>(
  'calendar-lock',
  `SELECT FROM space_calendar WHERE space_id = ANY (:spaceIds::uuid[]) ORDER BY space_id FOR UPDATE`,
);

export const raiseVersions = namedStatement<
  { spaceId: string; version: number },
  'spaceIds' | 'fingerprints'
>(
  'calendar-raise',
  `UPDATE space_calendar c SET version = c.version + 1, fingerprint = n.fingerprint
     FROM unnest(:spaceIds::uuid[], :fingerprints::text[]) AS n (space_id, fingerprint)
    WHERE c.space_id = n.space_id
RETURNING c.space_id AS "spaceId", c.version`,
);
