import { batched } from '#platform/database/batched.ts';
import { type Pool, statement } from '#platform/database/postgres.ts';
import type { TimeSlot } from '../domain/time-slot.ts';
import { EXPIRING } from './status-lists.ts';

interface SlotQuery {
  spaceId: string;
  from: Date;
  to: Date;
}

// One probe of the exclusion constraint's index for each query.
const occupied = statement<TimeSlot & { place: number }>(
  'booking-occupied',
  `SELECT q.place::int AS place, h.start_at AS "startAt", h.end_at AS "endAt"
     FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
          WITH ORDINALITY AS q (space_id, from_at, to_at, place)
     JOIN slot_hold h ON h.space_id = q.space_id AND h.live
      AND tstzrange(h.start_at, h.end_at, '[)') && tstzrange(q.from_at, q.to_at, '[)')
     LEFT JOIN booking b ON b.id = h.booking_id
    WHERE (b.status IN (${EXPIRING}) AND b.hold_expires_at <= now()) IS NOT TRUE
    ORDER BY q.place, h.start_at`,
);

/** The slots of live holds that overlap [from, to), in order; one statement for a whole tick. */
export function occupiedSlots(
  pool: Pool,
): (spaceId: string, from: Date, to: Date) => Promise<TimeSlot[]> {
  const find = batched(async (queries: readonly SlotQuery[]) => {
    const slots: TimeSlot[][] = queries.map(() => []);
    const rows = await occupied(
      pool,
      queries.map(({ spaceId }) => spaceId),
      queries.map(({ from }) => from),
      queries.map(({ to }) => to),
    );
    for (const { place, startAt, endAt } of rows) slots[place - 1]?.push({ startAt, endAt });
    return slots;
  });
  return (spaceId, from, to) => find({ spaceId, from, to });
}
