import { CALENDAR_NOTIFICATIONS_CHANNEL } from '#contracts/calendars.ts';
import { calendarSource } from './calendar-source.ts';
import { type WatchedCalendars, watchedCalendars } from './watched-calendars.ts';
import { listenTo, type WatchedService } from './watched-service.ts';

/** Watches calendars of book. */
export function bookCalendars(service: WatchedService): WatchedCalendars {
  const { url, authorize, timeoutMs, logger } = service;
  const source = calendarSource(url, authorize, timeoutMs);
  const watched = watchedCalendars({
    source,
    listen: listenTo(service, CALENDAR_NOTIFICATIONS_CHANNEL, 'calendar notifications'),
    logger,
  });
  return {
    ...watched,
    async close() {
      await watched.close();
      await source.close();
    },
  };
}
