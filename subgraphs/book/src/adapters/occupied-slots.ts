import { type Pool, statement } from '#platform/database/postgres.ts';
import type { TimeSlot } from '../domain/time-slot.ts';
import { batched } from './batched.ts';

interface Question {
  spaceId: string;
  from: Date;
  to: Date;
}

// One probe of the exclusion constraint's index for each question.
const occupied = statement<TimeSlot & { place: number }>(
  'booking-occupied',
  `SELECT q.place::int AS place, b.start_at AS "startAt", b.end_at AS "endAt"
     FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
          WITH ORDINALITY AS q (space_id, from_at, to_at, place)
     JOIN booking b ON b.space_id = q.space_id AND b.live
      AND tstzrange(b.start_at, b.end_at, '[)') && tstzrange(q.from_at, q.to_at, '[)')
      AND NOT (b.status IN ('REQUESTED', 'PAYMENT_DEFERRED') AND b.hold_expires_at <= now())
    ORDER BY q.place, b.start_at`,
);

/** The slots that live bookings hold within [from, to), in order; one statement for a whole tick. */
export function occupiedSlots(
  pool: Pool,
): (spaceId: string, from: Date, to: Date) => Promise<TimeSlot[]> {
  const find = batched(async (questions: readonly Question[]) => {
    const slots: TimeSlot[][] = questions.map(() => []);
    const rows = await occupied(
      pool,
      questions.map(({ spaceId }) => spaceId),
      questions.map(({ from }) => from),
      questions.map(({ to }) => to),
    );
    for (const { place, startAt, endAt } of rows) slots[place - 1]?.push({ startAt, endAt });
    return slots;
  });
  return (spaceId, from, to) => find({ spaceId, from, to });
}
