import { z } from 'zod';
import { instant } from './values.ts';

/**
 * The notifications and the internal endpoint of book for the router, which serves subscribers of free slots.
 * A notification is not an event: it may be lost, and the router then finds the change by polling.
 */

/** The channel on which book publishes which spaces' calendars have changed, as {@link changedCalendars}. */
export const CALENDAR_NOTIFICATIONS_CHANNEL = 'spacerent_calendar_notifications';
/** POST {@link calendarsRequest}; the response is {@link calendarsResponse}. Unknown to releases up to 0.2.0. */
export const CALENDARS_PATH = '/calendars';
/** The maximum number of queries in one request. */
export const MAX_CALENDAR_QUERIES = 500;
/** The maximum length of a range of free slots. */
export const MAX_FREE_SLOTS_DAYS = 31;

/** The ids of spaces. */
export const changedCalendars = z.array(z.guid());

/** The free slots within [from, to); `after`: only if the calendar has another version. */
const calendarQuery = z.object({
  // Not `uuid()`: a client may name an id that no RFC describes, and must not spoil the others' requests.
  spaceId: z.guid(),
  from: instant,
  to: instant,
  after: z.int().optional(),
});
export const calendarsRequest = z.object({
  queries: z.array(calendarQuery).max(MAX_CALENDAR_QUERIES),
});
/** As the router writes it. */
export type CalendarQuery = z.input<typeof calendarQuery>;
/** As book reads it. */
export type ParsedCalendarQuery = z.output<typeof calendarQuery>;

/** The instants stay text, as the API shows them. */
const slot = z.object({ startAt: z.iso.datetime(), endAt: z.iso.datetime() });
/** `slots` is null when the version is the one of the query's `after`. */
const calendarResult = z.object({ version: z.int(), slots: z.array(slot).nullable() });
/** One result for each query, in the same order; null: there is no such space. */
export const calendarsResponse = z.object({ results: z.array(calendarResult.nullable()) });
export type CalendarResult = z.infer<typeof calendarResult>;
