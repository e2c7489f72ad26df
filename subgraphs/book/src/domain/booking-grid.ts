import { DAY_MS, LocalDays, toDay } from './local-days.ts';

const MINUTE_MS = 60_000;
/** Days around an instant in which a time of the grid is searched: clocks may skip midnight, or a date. */
const MAX_STRETCHES = 16;

/**
 * The times at which bookings of a space may start and end: the wall clock of its zone shows a
 * multiple of `stepMinutes` after midnight. An hour that comes twice has its times twice.
 */
export class BookingGrid {
  readonly #days: LocalDays;
  readonly #stepMs: number;

  constructor(timeZone: string, stepMinutes: number) {
    this.#days = LocalDays.for(timeZone);
    this.#stepMs = stepMinutes * MINUTE_MS;
  }

  has(instantMs: number): boolean {
    return this.atOrAfter(instantMs) === instantMs;
  }

  /** NaN where days around have no such time. */
  atOrAfter(instantMs: number): number {
    let from = instantMs;
    for (let count = 0; count < MAX_STRETCHES; count += 1) {
      const { endMs, offsetMs } = this.#days.stretchAt(from);
      const sinceMidnight = from + offsetMs - toDay(from + offsetMs) * DAY_MS;
      const next = from - sinceMidnight + Math.ceil(sinceMidnight / this.#stepMs) * this.#stepMs;
      if (next < endMs) return next;
      from = endMs;
    }
    return Number.NaN;
  }

  /** NaN where days around have no such time. */
  atOrBefore(instantMs: number): number {
    let until = instantMs;
    for (let count = 0; count < MAX_STRETCHES; count += 1) {
      const { startMs, offsetMs } = this.#days.stretchAt(until);
      const sinceMidnight = until + offsetMs - toDay(until + offsetMs) * DAY_MS;
      const previous = until - (sinceMidnight % this.#stepMs);
      if (previous >= startMs) return previous;
      until = startMs - 1;
    }
    return Number.NaN;
  }
}
