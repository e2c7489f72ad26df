import { IANAZone } from 'luxon';

const DAY_MS = 86_400_000;

/** The date YYYY-MM-DD that calendars of the zone show at the instant. */
export function toLocalDate(instant: Date, timeZone: string): string {
  const offsetMs = IANAZone.create(timeZone).offset(instant.getTime()) * 60_000;
  return new Date(instant.getTime() + offsetMs).toISOString().slice(0, 10);
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The number of days from the first date to the last, both included; below 1 when they are reversed. */
export function countDays(firstDate: string, lastDate: string): number {
  return (Date.parse(lastDate) - Date.parse(firstDate)) / DAY_MS + 1;
}
