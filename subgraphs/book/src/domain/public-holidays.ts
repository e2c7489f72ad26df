/** A public holiday: its date YYYY-MM-DD, and its name in the language of its country. */
export interface Holiday {
  date: string;
  name: string;
}

/** An operator's word on one date, which counts above the calendar. */
export interface HolidayOverride extends Holiday {
  isHoliday: boolean;
}

/** Spaces are booked at most ten years ahead, and a slot may end in the year after. */
const YEARS_AHEAD = 11;

/** The years of which holidays are asked: few, for each takes up to half a second to compute. */
export function knownYears(now: Date): { first: number; last: number } {
  const year = now.getUTCFullYear();
  return { first: year - 1, last: year + YEARS_AHEAD };
}

/** Two letters of ISO 3166-1, such as KR. */
export const isCountry = (text: string): boolean => /^[A-Z]{2}$/.test(text);

/** The holidays in order of their dates, with the overrides of those dates and others. */
export function withOverrides(
  holidays: readonly Holiday[],
  overrides: readonly HolidayOverride[],
): Holiday[] {
  const overridden = new Set(overrides.map(({ date }) => date));
  const added = overrides.filter(({ isHoliday }) => isHoliday);
  return [...holidays.filter(({ date }) => !overridden.has(date)), ...added]
    .map(({ date, name }) => ({ date, name }))
    .sort((a, b) => a.date.localeCompare(b.date));
}

/** One holiday for each date, in order; where several fall on one, with the names of all. */
export function mergeDates(holidays: readonly Holiday[]): Holiday[] {
  const byDate = new Map<string, Set<string>>();
  for (const { date, name } of holidays) {
    byDate.set(date, (byDate.get(date) ?? new Set()).add(name));
  }
  return [...byDate]
    .map(([date, names]) => ({ date, name: [...names].join(', ') }))
    .sort((a, b) => a.date.localeCompare(b.date));
}
