import type { CalendarQuery, CalendarResult } from '#contracts/calendars.ts';
import type { Watch } from './feeds.ts';

/** The free slots of one range of one space that subscribers watch. */
export type SlotRange = Pick<CalendarQuery, 'spaceId' | 'from' | 'to'>;

/** The free slots at one time. */
export interface FreeSlotsState {
  /** Counts the states of the feed: unlike the calendar's version it never falls, not even after a restore. */
  version: number;
  /** As `FreeSlots` of the API shows it. */
  freeSlots: { spaceId: string; slots: NonNullable<CalendarResult['slots']>; version: number };
}

/** Receives every state that differs from the one before. */
export type SlotsWatcher = (state: FreeSlotsState) => void;

export interface CalendarWatch extends Watch {
  /**
   * The state of now, read after the call; null: there is no such space. Rejects when book does not respond
   * for ten seconds.
   */
  present(): Promise<FreeSlotsState | null>;
}

interface Reader {
  since: number;
  resolve: (state: FreeSlotsState | null) => void;
  reject: (error: unknown) => void;
}

const READ_TIMEOUT_MS = 10_000;
/** The event of a space that was just listed may still be on its way to book. */
const NEW_SPACE_TIMEOUT_MS = 1_500;

/** One range's free slots, for all of their watchers. Reads of one feed never overlap: the last one is right. */
export class CalendarFeed {
  readonly range: SlotRange;
  readonly watchers = new Set<SlotsWatcher>();
  /** Whether something may have changed since the last read began. */
  isDirty = false;
  isReading = false;
  #state: FreeSlotsState | undefined;
  #slotsText: string | undefined;
  #readers: Reader[] = [];

  constructor(range: SlotRange) {
    this.range = range;
  }

  get hasReaders(): boolean {
    return this.#readers.length > 0;
  }

  /** What to ask book: slots only if they may differ from the state. */
  get query(): CalendarQuery {
    const after = this.#state?.freeSlots.version;
    return { ...this.range, ...(after !== undefined && { after }) };
  }

  /** Resolves with the state of the next read. */
  next(): Promise<FreeSlotsState | null> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ since: performance.now(), resolve, reject });
    });
  }

  /** Begins a read; returns what ends it with the result, or with the reason why there is none. */
  begin() {
    const readers = this.#readers.splice(0);
    this.isDirty = false;
    this.isReading = true;
    const waitAgain = (limitMs: number, end: (reader: Reader) => void) => {
      for (const reader of readers) {
        if (performance.now() - reader.since < limitMs) this.#readers.push(reader);
        else end(reader);
      }
    };
    return {
      succeeded: (result: CalendarResult | null): void => {
        this.isReading = false;
        this.#update(result);
        const state = this.#state;
        if (state) for (const { resolve } of readers) resolve(state);
        else waitAgain(NEW_SPACE_TIMEOUT_MS, ({ resolve }) => resolve(null));
      },
      failed: (error: unknown): void => {
        this.isReading = false;
        waitAgain(READ_TIMEOUT_MS, ({ reject }) => reject(error));
      },
    };
  }

  #update(result: CalendarResult | null): void {
    if (!result?.slots) return;
    const { version, slots } = result;
    const { spaceId } = this.range;
    const slotsText = JSON.stringify(slots);
    const isSame = slotsText === this.#slotsText;
    this.#slotsText = slotsText;
    const count = this.#state?.version ?? 0;
    const state = { version: count + 1, freeSlots: { spaceId, slots, version } };
    this.#state = state;
    // Another version with the same slots is for those who subscribe later.
    if (!isSame) for (const watcher of this.watchers) watcher(state);
  }
}
