/** Half open: [startAt, endAt). Back-to-back slots do not overlap. */
export interface TimeSlot {
  startAt: Date;
  endAt: Date;
}

/** The length in milliseconds. */
export function lengthMs(slot: TimeSlot): number {
  return slot.endAt.getTime() - slot.startAt.getTime();
}

export function isSameSlot(one: TimeSlot, other: TimeSlot): boolean {
  return (
    one.startAt.getTime() === other.startAt.getTime() &&
    one.endAt.getTime() === other.endAt.getTime()
  );
}

const MINUTE_MS = 60_000;

/** What a use occupies: its slot with the buffers before and after it. */
export function toHold(use: {
  slot: TimeSlot;
  bufferBeforeMinutes: number;
  bufferAfterMinutes: number;
}): TimeSlot {
  const { slot, bufferBeforeMinutes, bufferAfterMinutes } = use;
  return {
    startAt: new Date(slot.startAt.getTime() - bufferBeforeMinutes * MINUTE_MS),
    endAt: new Date(slot.endAt.getTime() + bufferAfterMinutes * MINUTE_MS),
  };
}

/**
 * What remains of `periods` without the `occupied` slots. Both are in order of their starts; so is
 * the result, which has no empty slots.
 */
export function subtractSlots(
  periods: readonly TimeSlot[],
  occupied: readonly TimeSlot[],
): TimeSlot[] {
  const free: TimeSlot[] = [];
  let first = 0;
  for (const period of periods) {
    // What ends before this period ends before all that follow.
    while (first < occupied.length && (occupied[first] as TimeSlot).endAt <= period.startAt)
      first += 1;
    let from = period.startAt;
    for (let index = first; index < occupied.length; index += 1) {
      const busy = occupied[index] as TimeSlot;
      if (busy.startAt >= period.endAt) break;
      if (busy.endAt <= from) continue;
      if (busy.startAt > from) free.push({ startAt: from, endAt: busy.startAt });
      from = busy.endAt;
    }
    if (from < period.endAt) free.push({ startAt: from, endAt: period.endAt });
  }
  return free;
}

/** The instants, in milliseconds, at which slots may start and end; NaN where there is none. */
interface Grid {
  atOrAfter(instantMs: number): number;
  atOrBefore(instantMs: number): number;
}

const EVERY_INSTANT: Grid = { atOrAfter: (at) => at, atOrBefore: (at) => at };

/**
 * The slots of `wanted`'s length that lie in `free` and on the grid and are nearest to `wanted`, at
 * most `limit`, nearest first; they do not overlap one another.
 */
export function nearestSlots(
  free: readonly TimeSlot[],
  wanted: TimeSlot,
  limit: number,
  grid: Grid = EVERY_INSTANT,
): TimeSlot[] {
  const length = lengthMs(wanted);
  const wantedStart = wanted.startAt.getTime();
  return free
    .flatMap((gap) => nearestStarts(gap, length, wantedStart, limit, grid))
    .sort((a, b) => Math.abs(a - wantedStart) - Math.abs(b - wantedStart) || a - b)
    .slice(0, limit)
    .map((start) => ({ startAt: new Date(start), endAt: new Date(start + length) }));
}

/** Where slots of the length start in the gap: up to `limit` from `wanted` on, and as many before it. */
function nearestStarts(
  gap: TimeSlot,
  length: number,
  wanted: number,
  limit: number,
  grid: Grid,
): number[] {
  const first = gap.startAt.getTime();
  const last = gap.endAt.getTime() - length;
  const fits = (start: number) => grid.atOrAfter(start + length) === start + length;
  const later: number[] = [];
  let start = grid.atOrAfter(Math.max(wanted, first));
  while (start <= last && later.length < limit) {
    if (fits(start)) later.push(start);
    start = grid.atOrAfter(fits(start) ? start + length : start + 1);
  }
  const earlier: number[] = [];
  start = grid.atOrBefore(Math.min(last, later[0] === undefined ? last : later[0] - length));
  while (start >= first && earlier.length < limit) {
    if (fits(start)) earlier.push(start);
    start = grid.atOrBefore(fits(start) ? start - length : start - 1);
  }
  return [...later, ...earlier];
}
