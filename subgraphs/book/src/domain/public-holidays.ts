/** A public holiday: its date YYYY-MM-DD, and its name in the language of its country. */
export interface Holiday {
  date: string;
  name: string;
}

/** An operator's word on one date, which counts above the calendar. */
export interface HolidayOverride extends Holiday {
  isHoliday: boolean;
}

/** Years of which holidays are known; lunar calendars are not computed beyond. */
export const FIRST_YEAR = 2000;
export const LAST_YEAR = 2100;

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
