import { IANAZone } from 'luxon';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MAX_ZONES = 64;
const MAX_DAYS_OF_ZONE = 1_000;

/** A calendar day of a zone, as instants in milliseconds since 1970. */
interface LocalDay {
  startMs: number;
  /** The start of the next day. */
  endMs: number;
  /** The zone's offset at the start, in milliseconds. */
  offsetMs: number;
  isEven: boolean;
}

/**
 * The days of one time zone. A day is counted from 1970-01-01 in the calendar of the zone. Reading
 * an offset is expensive, and searches for free slots read the same days: they are cached.
 */
export class LocalDays {
  readonly #zone: IANAZone;
  readonly #days = new Map<number, LocalDay>();

  private constructor(timeZone: string) {
    this.#zone = IANAZone.create(timeZone);
  }

  static readonly #byZone = new Map<string, LocalDays>();

  static for(timeZone: string): LocalDays {
    return cached(LocalDays.#byZone, MAX_ZONES, timeZone, () => new LocalDays(timeZone));
  }

  /** The day on which the instant falls. */
  dayAt(instantMs: number): number {
    return Math.floor((instantMs + this.#offsetMs(instantMs)) / DAY_MS);
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

  #day(day: number): LocalDay {
    return cached(this.#days, MAX_DAYS_OF_ZONE, day, () => {
      const midnight = day * DAY_MS;
      const startMs = this.#resolve(midnight, this.#offsetMs(midnight - DAY_MS));
      const offsetMs = this.#offsetMs(startMs);
      const endMs = this.#resolve(midnight + DAY_MS, offsetMs);
      const isEven = startMs + offsetMs === midnight && endMs - startMs === DAY_MS;
      return { startMs, endMs, offsetMs, isEven };
    });
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

/** The map's value, or a new one; the oldest is removed where there are `max`. */
function cached<Key, Value>(map: Map<Key, Value>, max: number, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const value = make();
  if (map.size >= max) map.delete(map.keys().next().value as Key);
  map.set(key, value);
  return value;
}
