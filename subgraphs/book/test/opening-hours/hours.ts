import { type DayOfWeek, type OpeningHours, openPeriods } from '../../src/domain/opening-hours.ts';

export const DAYS: DayOfWeek[] = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
];
export const HOUR_MS = 3_600_000;
export const ALWAYS: OpeningHours[] = DAYS.map((day) => ({ day, opens: '00:00', closes: '24:00' }));

export const on = (day: DayOfWeek, opens: string, closes: string): OpeningHours => ({
  day,
  opens,
  closes,
});

/** `2030-03-10T07:00Z`, as short as the instant allows. */
export const toText = (instant: Date) => instant.toISOString().replace(/:00\.000Z$/, 'Z');

/** The open periods, each as its start and its end. */
export function openTexts(hours: OpeningHours[], zone: string, from: string, to: string): string[] {
  return openPeriods(hours, zone, new Date(from), new Date(to)).map(
    ({ startAt, endAt }) => `${toText(startAt)} ${toText(endAt)}`,
  );
}
