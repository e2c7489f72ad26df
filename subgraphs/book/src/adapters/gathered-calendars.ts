import type { CalendarQuery, Calendars, SpaceCalendar } from '../application/read-calendars.ts';

interface Call {
  queries: readonly CalendarQuery[];
  resolve: (calendars: (SpaceCalendar | null)[]) => void;
  reject: (error: unknown) => void;
}

/** Queries after which a read takes no further calls. */
const MAX_GATHERED = 1_000;

/**
 * Runs at most `maxReads` at once; calls that come meanwhile share the next one. Routers poll at the same
 * instants, most of all when the next time of the grid begins: bookings keep most connections of the pool.
 */
export function gatheredCalendars(calendars: Calendars, maxReads: number): Calendars {
  const waiting: Call[] = [];
  let running = 0;

  function takeCalls(): Call[] {
    let count = 0;
    const end = waiting.findIndex(({ queries }) => {
      count += queries.length;
      return count > MAX_GATHERED;
    });
    // One call alone is always taken.
    return waiting.splice(0, end === -1 ? waiting.length : Math.max(end, 1));
  }

  async function readCalls(calls: readonly Call[]): Promise<void> {
    try {
      const found = await calendars.read(calls.flatMap(({ queries }) => queries));
      let start = 0;
      for (const { queries, resolve } of calls) {
        resolve(found.slice(start, start + queries.length));
        start += queries.length;
      }
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }

  function readWaiting(): void {
    if (waiting.length === 0 || running >= maxReads) return;
    running += 1;
    void readCalls(takeCalls()).finally(() => {
      running -= 1;
      readWaiting();
    });
  }

  return {
    read: (queries) =>
      new Promise((resolve, reject) => {
        waiting.push({ queries, resolve, reject });
        readWaiting();
      }),
  };
}
