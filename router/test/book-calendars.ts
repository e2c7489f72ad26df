import type { CalendarQuery, CalendarResult } from '#contracts/calendars.ts';
import type { Subscriber } from '#platform/messaging/notifications.ts';
import type { CalendarSource } from '../src/live/calendar-source.ts';

type Slots = NonNullable<CalendarResult['slots']>;

/** Book in memory: the calendars of spaces, and the notifications that it publishes. */
export class BookCalendars implements CalendarSource {
  readonly #calendars = new Map<string, { version: number; slots: Slots }>();
  #subscriber: Subscriber | undefined;
  /** Requests, and queries whose slots were computed for them. */
  requests = 0;
  computed = 0;
  /** Whether notifications arrive. */
  isConnected = true;
  /** Whether requests get a response. */
  isUp = true;
  /** What a response waits for. */
  gate: Promise<void> = Promise.resolve();

  /** Changes the calendar: it is free at these hours, and of the next version. */
  change(spaceId: string, ...hours: number[]): void {
    const version = (this.#calendars.get(spaceId)?.version ?? 0) + 1;
    this.restore(spaceId, version, ...hours);
  }

  /** Sets the calendar's version, too, as the restore of a backup may. */
  restore(spaceId: string, version: number, ...hours: number[]): void {
    this.#calendars.set(spaceId, { version, slots: hours.map(slotAt) });
    if (this.isConnected) this.announce(spaceId);
  }

  announce(...spaceIds: string[]): void {
    this.#subscriber?.onMessage(JSON.stringify(spaceIds));
  }

  reconnect(): void {
    this.isConnected = true;
    this.#subscriber?.onConnected();
  }

  listen = (subscriber: Subscriber) => {
    this.#subscriber = subscriber;
    return { close: async () => {} };
  };

  async read(queries: readonly CalendarQuery[]): Promise<(CalendarResult | null)[]> {
    this.requests += 1;
    const { isUp } = this;
    // The state is read before the response, as over a network.
    const results = queries.map(({ spaceId, after }) => {
      const calendar = this.#calendars.get(spaceId);
      if (!calendar) return null;
      const { version, slots } = calendar;
      if (after === version) return { version, slots: null };
      this.computed += 1;
      return { version, slots };
    });
    await this.gate;
    if (!isUp) throw new Error('book responded to /calendars with HTTP 404');
    return results;
  }

  async close() {}
}

/** The hour from `hour` of 3 June 2030. */
export function slotAt(hour: number): Slots[0] {
  const at = (h: number) => new Date(Date.UTC(2030, 5, 3, h)).toISOString();
  return { startAt: at(hour), endAt: at(hour + 1) };
}
