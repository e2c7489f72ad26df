import { bookablePeriods } from '../domain/bookable-periods.ts';
import type { SlotTerms } from '../domain/booking-rules.ts';
import type { TimeSlot } from '../domain/time-slot.ts';

export interface CalendarQuery {
  spaceId: string;
  from: Date;
  to: Date;
  /** The version that the reader has already. */
  after?: number | undefined;
}

/** The calendar of a space at one instant. */
export interface SpaceCalendar {
  /** Rises with every change of what free slots depend on. */
  version: number;
  space: SlotTerms;
  /** By the database's clock. */
  now: Date;
  /** The holds in the way of slots of the range, in order; null where `after` is the version. */
  occupied: readonly TimeSlot[] | null;
}

export interface Calendars {
  /** One result for each query, in the same order; null: there is no such space. */
  read(queries: readonly CalendarQuery[]): Promise<(SpaceCalendar | null)[]>;
}

/** The free slots of a range; null where they are those of the version that the reader has. */
export interface CalendarSlots {
  version: number;
  slots: TimeSlot[] | null;
}

/** The free slots of each range, with the version of the calendar that they belong to. */
export async function readCalendars(
  calendars: Calendars,
  queries: readonly CalendarQuery[],
): Promise<(CalendarSlots | null)[]> {
  const found = await calendars.read(queries);
  return queries.map(({ from, to }, index) => {
    const calendar = found[index];
    if (!calendar) return null;
    const { version, space, now, occupied } = calendar;
    return { version, slots: occupied && bookablePeriods(space, from, to, now, occupied) };
  });
}
