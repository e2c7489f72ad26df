import { DateTime } from 'luxon';
import type { SlotTerms } from '../../src/domain/booking-rules.ts';
import type { TimeSlot } from '../../src/domain/time-slot.ts';
import { luxonOpenPeriods } from '../opening-hours/luxon-opening-hours.ts';

const MINUTE_MS = 60_000;

/** Whether luxon's wall clock shows a time of the space's grid. */
export function isOnGrid(instant: Date, { timeZone, bookingRules }: SlotTerms): boolean {
  const local = DateTime.fromJSDate(instant, { zone: timeZone });
  const minute = local.hour * 60 + local.minute;
  return local.second === 0 && local.millisecond === 0 && minute % bookingRules.stepMinutes === 0;
}

export function horizonOf({ timeZone, bookingRules }: SlotTerms, now: Date): Date {
  const days = { days: bookingRules.maxAdvanceDays };
  return DateTime.fromJSDate(now, { zone: timeZone }).plus(days).toJSDate();
}

/** The field of the first rule that the slot breaks, by luxon; what the fast rules must equal. */
export function brokenField(slot: TimeSlot, space: SlotTerms, now: Date): string | undefined {
  const rules = space.bookingRules;
  const minutes = (slot.endAt.getTime() - slot.startAt.getTime()) / MINUTE_MS;
  const notice = new Date(now.getTime() + rules.minNoticeMinutes * MINUTE_MS);
  if (minutes <= 0) return 'slot.endAt';
  if (slot.startAt <= now) return 'slot.startAt';
  if (!isOnGrid(slot.startAt, space)) return 'slot.startAt';
  if (!isOnGrid(slot.endAt, space)) return 'slot.endAt';
  if (minutes < rules.minMinutes || minutes > rules.maxMinutes) return 'slot';
  if (slot.startAt < notice || slot.startAt > horizonOf(space, now)) return 'slot.startAt';
  const isOpen = openAround(space, slot.startAt, slot.endAt).some(
    (period) => period.startAt <= slot.startAt && slot.endAt <= period.endAt,
  );
  return isOpen ? undefined : 'slot';
}

function openAround(space: SlotTerms, from: Date, to: Date): TimeSlot[] {
  const { openingHours, timeZone, openingExceptions } = space;
  return luxonOpenPeriods(openingHours, timeZone, from, to, openingExceptions);
}

/** Whether the slot with the space's buffers overlaps a hold with its own. */
export function conflicts(slot: TimeSlot, { bookingRules }: SlotTerms, hold: TimeSlot): boolean {
  const from = slot.startAt.getTime() - bookingRules.bufferBeforeMinutes * MINUTE_MS;
  const to = slot.endAt.getTime() + bookingRules.bufferAfterMinutes * MINUTE_MS;
  return from < hold.endAt.getTime() && to > hold.startAt.getTime();
}

/**
 * Every slot within [from, to) that breaks no rule, is in no hold's way and ends by the horizon, found
 * minute by minute.
 */
export function luxonBookableSlots(
  space: SlotTerms,
  range: TimeSlot,
  now: Date,
  holds: readonly TimeSlot[],
): TimeSlot[] {
  const rules = space.bookingRules;
  const horizon = horizonOf(space, now);
  const notice = now.getTime() + rules.minNoticeMinutes * MINUTE_MS;
  const open = openAround(space, range.startAt, range.endAt);
  const slots: TimeSlot[] = [];
  for (const startAt of gridWithin(space, range)) {
    if (startAt <= now || startAt.getTime() < notice || startAt > horizon) continue;
    const period = open.find((period) => period.startAt <= startAt && startAt < period.endAt);
    for (const endAt of period ? gridWithin(space, { startAt, endAt: period.endAt }) : []) {
      const minutes = (endAt.getTime() - startAt.getTime()) / MINUTE_MS;
      if (minutes < rules.minMinutes || minutes > rules.maxMinutes || minutes <= 0) continue;
      if (endAt > horizon) continue;
      const slot = { startAt, endAt };
      if (!holds.some((hold) => conflicts(slot, space, hold))) slots.push(slot);
    }
  }
  return slots;
}

const grids = new WeakMap<SlotTerms, Map<number, boolean>>();

/** The times of the grid in [startAt, endAt]. */
export function gridWithin(space: SlotTerms, { startAt, endAt }: TimeSlot): Date[] {
  const known = grids.get(space) ?? new Map<number, boolean>();
  grids.set(space, known);
  const found: Date[] = [];
  const first = Math.ceil(startAt.getTime() / MINUTE_MS) * MINUTE_MS;
  for (let at = first; at <= endAt.getTime(); at += MINUTE_MS) {
    const isTime = known.get(at) ?? isOnGrid(new Date(at), space);
    known.set(at, isTime);
    if (isTime) found.push(new Date(at));
  }
  return found;
}
