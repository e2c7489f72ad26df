/** Local wall-clock times HH:MM; `closes` may be 24:00. */
interface HoursOfDay {
  opens: string;
  closes: string;
}

/** When a space is open: by weekday, and on dates that differ from it. */
interface OpenTimes {
  openingHours: readonly (HoursOfDay & { day: string })[];
  openingExceptions: readonly { date: string; hours: readonly HoursOfDay[] }[];
}

/**
 * For how many minutes a space is open, by the wall clock: a day on which clocks change has as many as any
 * other. Hours that overlap count once.
 */
export interface OpenMinutes {
  /** Sunday is the first. */
  byWeekday: readonly number[];
  /** Of the dates that differ from their weekday. */
  byDate: ReadonlyMap<string, number>;
}

const WEEKDAYS = [
  'SUNDAY',
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
] as const;

export function toOpenMinutes({ openingHours, openingExceptions }: OpenTimes): OpenMinutes {
  return {
    byWeekday: WEEKDAYS.map((weekday) =>
      sumMinutes(openingHours.filter(({ day }) => day === weekday)),
    ),
    byDate: new Map(openingExceptions.map(({ date, hours }) => [date, sumMinutes(hours)])),
  };
}

export function openMinutesOn({ byWeekday, byDate }: OpenMinutes, date: string): number {
  return byDate.get(date) ?? byWeekday[toWeekday(date)] ?? 0;
}

/** The open minutes of many spaces together. */
export class OpenMinutesSum {
  readonly #byWeekday = WEEKDAYS.map(() => 0);
  /** By date: by how much exceptions differ from their weekday. */
  readonly #differences = new Map<string, { weekday: number; minutes: number }>();

  add({ byWeekday, byDate }: OpenMinutes): void {
    for (const [weekday, minutes] of byWeekday.entries()) {
      this.#byWeekday[weekday] = (this.#byWeekday[weekday] ?? 0) + minutes;
    }
    for (const [date, minutes] of byDate) {
      const difference = this.#differences.get(date) ?? { weekday: toWeekday(date), minutes: 0 };
      difference.minutes += minutes - (byWeekday[difference.weekday] ?? 0);
      this.#differences.set(date, difference);
    }
  }

  on(date: string): number {
    const usual = this.#byWeekday[toWeekday(date)] ?? 0;
    return usual + (this.#differences.get(date)?.minutes ?? 0);
  }
}

function sumMinutes(hours: readonly HoursOfDay[]): number {
  let minutes = 0;
  let until = 0;
  for (const period of inOrder(hours)) {
    const closes = toMinutes(period.closes);
    minutes += Math.max(0, closes - Math.max(toMinutes(period.opens), until));
    until = Math.max(until, closes);
  }
  return minutes;
}

/** Without a copy where they are in order already, as nearly always: there are hundreds of thousands. */
function inOrder(hours: readonly HoursOfDay[]): readonly HoursOfDay[] {
  let previous = '';
  for (const { opens } of hours) {
    if (opens < previous) return [...hours].sort((a, b) => (a.opens < b.opens ? -1 : 1));
    previous = opens;
  }
  return hours;
}

/** Of HH:MM, by its digits: to split it would be most of the time that a report takes. */
function toMinutes(wallClock: string): number {
  return (
    (digit(wallClock, 0) * 10 + digit(wallClock, 1)) * 60 +
    digit(wallClock, 3) * 10 +
    digit(wallClock, 4)
  );
}

function digit(text: string, index: number): number {
  return text.charCodeAt(index) - 48;
}

function toWeekday(date: string): number {
  return new Date(date).getUTCDay();
}
