/** Half open: [startAt, endAt). Back-to-back slots do not overlap. */
export interface TimeSlot {
  startAt: Date;
  endAt: Date;
}

/** The length in milliseconds. */
export function lengthOf(slot: TimeSlot): number {
  return slot.endAt.getTime() - slot.startAt.getTime();
}

/**
 * What is left of `periods` without `taken`. Both are in order of their starts; so is the answer,
 * which has no empty slots.
 */
export function without(periods: readonly TimeSlot[], taken: readonly TimeSlot[]): TimeSlot[] {
  const free: TimeSlot[] = [];
  let first = 0;
  for (const period of periods) {
    // What ends before this period ends before all that follow.
    while (first < taken.length && (taken[first] as TimeSlot).endAt <= period.startAt) first += 1;
    let from = period.startAt;
    for (let index = first; index < taken.length; index += 1) {
      const hole = taken[index] as TimeSlot;
      if (hole.startAt >= period.endAt) break;
      if (hole.endAt <= from) continue;
      if (hole.startAt > from) free.push({ startAt: from, endAt: hole.startAt });
      from = hole.endAt;
    }
    if (from < period.endAt) free.push({ startAt: from, endAt: period.endAt });
  }
  return free;
}

/**
 * The slots of `wanted`'s length that lie in `free` and are nearest to `wanted`, at most `limit`,
 * nearest first; they do not overlap one another.
 */
export function nearestSlots(
  free: readonly TimeSlot[],
  wanted: TimeSlot,
  limit: number,
): TimeSlot[] {
  const length = lengthOf(wanted);
  const asked = wanted.startAt.getTime();
  const starts = free.flatMap((gap) => {
    const first = gap.startAt.getTime();
    const last = gap.endAt.getTime() - length;
    if (last < first) return [];
    const nearest = Math.min(Math.max(asked, first), last);
    const found: number[] = [];
    for (let step = 0; step < limit; step += 1) {
      if (nearest + step * length <= last) found.push(nearest + step * length);
      if (step > 0 && nearest - step * length >= first) found.push(nearest - step * length);
    }
    return found;
  });
  return starts
    .sort((a, b) => Math.abs(a - asked) - Math.abs(b - asked) || a - b)
    .slice(0, limit)
    .map((start) => ({ startAt: new Date(start), endAt: new Date(start + length) }));
}
