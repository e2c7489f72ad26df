import { DateTime, IANAZone } from 'luxon';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
const MAX_ZONES = 64;
const MAX_DAYS_OF_ZONE = 1_000;

/**
 * A time of one calendar day and one offset: the wall clock shows `instant + offsetMs`, written as if
 * it were UTC.
 */
export interface Stretch {
  startMs: number;
  endMs: number;
  offsetMs: number;
}

/** A calendar day of a zone, as instants in milliseconds since 1970. */
interface LocalDay {
  startMs: number;
  /** The start of the next day. */
  endMs: number;
  /** The zone's offset at the start, in milliseconds. */
  offsetMs: number;
  /** 24 hours without a change of clocks. */
  isEven: boolean;
  /** All of it, in order; null: not computed yet. */
  stretches: readonly Stretch[] | null;
}

/**
 * The days of one time zone. A day is counted from 1970-01-01 in the calendar of the zone. Reading
 * an offset is expensive, and searches for free slots read the same days: they are cached.
 */
export class LocalDays {
  readonly #zone: IANAZone;
  readonly #days = new Map<number, LocalDay>();
  /** A recent offset: with it, the day of most instants is found without reading another one. */
  #usualOffsetMs = 0;

  private constructor(timeZone: string) {
    this.#zone = IANAZone.create(timeZone);
  }

  static readonly #byZone = new Map<string, LocalDays>();

  static for(timeZone: string): LocalDays {
    return cached(LocalDays.#byZone, MAX_ZONES, timeZone, () => new LocalDays(timeZone));
  }

  /** The day on which the instant falls. */
  dayAt(instantMs: number): number {
    return toDay(instantMs + this.stretchAt(instantMs).offsetMs);
  }

  dayStart(day: number): number {
    return this.#day(day).startMs;
  }

  /** The instant at which the wall clock of the day shows `minutes` after midnight; 1440: the next day. */
  toInstant(day: number, minutes: number): number {
    const local = this.#day(day);
    if (minutes === 1440) return local.endMs;
    if (local.isEven) return local.startMs + minutes * MINUTE_MS;
    return this.#resolve(day * DAY_MS + minutes * MINUTE_MS, local.offsetMs);
  }

  /**
   * The instant `count` calendar days later, or earlier, at the same time of the wall clock. Where clocks
   * skip or repeat that time, luxon decides; elsewhere its answer is known without its cost.
   */
  plusDays(instantMs: number, count: number): number {
    const sameOffset = instantMs + count * DAY_MS;
    if (this.stretchAt(sameOffset).offsetMs === this.stretchAt(instantMs).offsetMs)
      return sameOffset;
    return DateTime.fromMillis(instantMs, { zone: this.#zone }).plus({ days: count }).toMillis();
  }

  /** The stretch that contains the instant. */
  stretchAt(instantMs: number): Stretch {
    const local = this.#containing(instantMs);
    if (local.isEven) return local;
    local.stretches ??= this.#split(local);
    return (
      local.stretches.find(({ endMs }) => instantMs < endMs) ?? (local.stretches[0] as Stretch)
    );
  }

  #containing(instantMs: number): LocalDay {
    let day = toDay(instantMs + this.#usualOffsetMs);
    let local = this.#day(day);
    if (instantMs >= local.startMs && instantMs < local.endMs) return local;
    this.#usualOffsetMs = this.#offsetMs(instantMs);
    day = toDay(instantMs + this.#usualOffsetMs);
    local = this.#day(day);
    // The calendar may say a neighbour: clocks that go back over midnight show the old date again.
    while (instantMs < local.startMs) local = this.#day(--day);
    while (instantMs >= local.endMs) local = this.#day(++day);
    return local;
  }

  #day(day: number): LocalDay {
    return cached(this.#days, MAX_DAYS_OF_ZONE, day, () => {
      const startMs = this.#startOf(day);
      const endMs = this.#startOf(day + 1);
      const offsetMs = this.#offsetMs(startMs);
      const isEven = startMs + offsetMs === day * DAY_MS && endMs - startMs === DAY_MS;
      return { startMs, endMs, offsetMs, isEven, stretches: null };
    });
  }

  #startOf(day: number): number {
    const midnight = day * DAY_MS;
    return this.#resolve(midnight, this.#offsetMs(midnight - DAY_MS));
  }

  /** The stretches of a day on which clocks change. */
  #split({ startMs, endMs }: LocalDay): Stretch[] {
    const stretches: Stretch[] = [];
    for (let from = startMs; from < endMs; ) {
      const offsetMs = this.#offsetMs(from);
      let to = from;
      while (to < endMs && this.#offsetMs(to) === offsetMs) to += HOUR_MS;
      if (to < endMs) to = this.#skipBetween(to - HOUR_MS, to);
      const midnight = (toDay(from + offsetMs) + 1) * DAY_MS - offsetMs;
      to = Math.min(to, midnight, endMs);
      stretches.push({ startMs: from, endMs: to, offsetMs });
      from = to;
    }
    return stretches;
  }

  /**
   * The instant at which the wall clock shows `localMs`, written as if it were UTC: the first one of
   * a time that comes twice; for a time that clocks skip, the instant at which they skip it.
   * `offsetMs` is the offset some hours earlier.
   */
  #resolve(localMs: number, offsetMs: number): number {
    const early = localMs - offsetMs;
    const changed = this.#offsetMs(early);
    if (changed === offsetMs) return early;
    const late = localMs - changed;
    const there = this.#offsetMs(late);
    if (there === changed) return late;
    return this.#skipBetween(Math.min(early, late), Math.max(early, late));
  }

  /** The first instant in (`fromMs`, `toMs`] with the offset of `toMs`, to the minute. */
  #skipBetween(fromMs: number, toMs: number): number {
    const after = this.#offsetMs(toMs);
    let [low, high] = [fromMs, toMs];
    while (high - low > MINUTE_MS) {
      const middle = low + Math.floor((high - low) / 2 / MINUTE_MS) * MINUTE_MS;
      if (this.#offsetMs(middle) === after) high = middle;
      else low = middle;
    }
    return high;
  }

  #offsetMs(instantMs: number): number {
    return this.#zone.offset(instantMs) * MINUTE_MS;
  }
}

/** The day of a wall-clock time that is written as if it were UTC. */
export function toDay(localMs: number): number {
  return Math.floor(localMs / DAY_MS);
}

/** The day of a date YYYY-MM-DD. */
export function parseDay(date: string): number {
  return Date.parse(date) / DAY_MS;
}

/** The date YYYY-MM-DD of a day. */
export function toDate(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** The weekday of a day, Monday being 0. */
export function toWeekday(day: number): number {
  // 1970-01-01 was a Thursday.
  return (((day + 3) % 7) + 7) % 7;
}

/** Minutes after midnight of a wall-clock time HH:MM. */
export function toMinutes(wallClock: string): number {
  const [hour, minute] = wallClock.split(':').map(Number) as [number, number];
  return hour * 60 + minute;
}

/** The map's value, or a new one; the oldest is removed where there are `max`. */
function cached<Key, Value>(map: Map<Key, Value>, max: number, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const value = make();
  if (map.size >= max) map.delete(map.keys().next().value as Key);
  map.set(key, value);
  return value;
}
