/** Half open: [startAt, endAt). Back-to-back slots do not overlap. */
export interface TimeSlot {
  startAt: Date;
  endAt: Date;
}

/** The length in milliseconds. */
export function lengthMs(slot: TimeSlot): number {
  return slot.endAt.getTime() - slot.startAt.getTime();
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

/**
 * The slots of `wanted`'s length that lie in `free` and are nearest to `wanted`, at most `limit`,
 * nearest first; they do not overlap one another.
 */
export function nearestSlots(
  free: readonly TimeSlot[],
  wanted: TimeSlot,
  limit: number,
): TimeSlot[] {
  const length = lengthMs(wanted);
  const wantedStart = wanted.startAt.getTime();
  const starts = free.flatMap((gap) => {
    const first = gap.startAt.getTime();
    const last = gap.endAt.getTime() - length;
    if (last < first) return [];
    const nearest = Math.min(Math.max(wantedStart, first), last);
    const candidates: number[] = [];
    for (let step = 0; step < limit; step += 1) {
      if (nearest + step * length <= last) candidates.push(nearest + step * length);
      if (step > 0 && nearest - step * length >= first) candidates.push(nearest - step * length);
    }
    return candidates;
  });
  return starts
    .sort((a, b) => Math.abs(a - wantedStart) - Math.abs(b - wantedStart) || a - b)
    .slice(0, limit)
    .map((start) => ({ startAt: new Date(start), endAt: new Date(start + length) }));
}
