import {
  CALENDARS_PATH,
  type CalendarQuery,
  type CalendarResult,
  calendarsResponse,
} from '#contracts/calendars.ts';
import type { SignRequest } from '#platform/auth/internal-requests.ts';
import { openPeerClient } from '#platform/http/peer-client.ts';

/** The reads that book serves of its calendars. They reject when it does not respond in time. */
export interface CalendarSource {
  /** One result for each of at most 500 queries, in the same order; null: there is no such space. */
  read(queries: readonly CalendarQuery[]): Promise<readonly (CalendarResult | null)[]>;
  close(): Promise<void>;
}

/** Requests that are sent at once; {@link watchedCalendars} begins no more. */
export const MAX_CALENDAR_REQUESTS = 4;

/** Reads from book over HTTP. */
export function calendarSource(
  url: string,
  authorize: SignRequest,
  timeoutMs: number,
): CalendarSource {
  const peers = openPeerClient({ book: url }, authorize, {
    connections: MAX_CALENDAR_REQUESTS,
    timeoutMs,
  });
  return {
    async read(queries) {
      const request = { path: CALENDARS_PATH, body: { queries } };
      const { results } = await peers.request('book', request, calendarsResponse);
      if (results.length === queries.length) return results;
      throw new Error(`book responded to ${queries.length} queries with ${results.length} results`);
    },
    close: peers.close,
  };
}
