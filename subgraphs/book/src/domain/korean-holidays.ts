import { parseDay, toDate, toWeekday } from './local-days.ts';
import { type Holiday, mergeDates } from './public-holidays.ts';

/** The dates YYYY-MM-DD of one year that follow the moon. */
export interface LunarDates {
  /** The first day of the first month. */
  seollal: string;
  /** The eighth day of the fourth month. */
  buddhasBirthday: string;
  /** The fifteenth day of the eighth month. */
  chuseok: string;
}

/**
 * When a holiday has a substitute day: on `weekend`, where it falls on Saturday or Sunday; on `sunday`,
 * where it falls on Sunday. Both also where it falls on another holiday on a weekday.
 */
type Substitute = 'weekend' | 'sunday' | 'never';

interface FixedHoliday {
  monthDay: string;
  name: string;
  substitute: Substitute;
  /** The first year in which it is a public holiday. */
  since?: number;
}

// Regulations on Holidays of Government Offices, Article 2 (which holidays) and Article 3 (substitute
// days); the Act on Public Holidays makes them holidays of all. Labour Day and Constitution Day: from 2026.
const FIXED: readonly FixedHoliday[] = [
  { monthDay: '01-01', name: '1월 1일', substitute: 'never' },
  { monthDay: '03-01', name: '3·1절', substitute: 'weekend' },
  { monthDay: '05-01', name: '노동절', substitute: 'weekend', since: 2026 },
  { monthDay: '05-05', name: '어린이날', substitute: 'weekend' },
  { monthDay: '06-06', name: '현충일', substitute: 'never' },
  { monthDay: '07-17', name: '제헌절', substitute: 'weekend', since: 2026 },
  { monthDay: '08-15', name: '광복절', substitute: 'weekend' },
  { monthDay: '10-03', name: '개천절', substitute: 'weekend' },
  { monthDay: '10-09', name: '한글날', substitute: 'weekend' },
  { monthDay: '12-25', name: '기독탄신일', substitute: 'weekend' },
];

/** Article 2, number 10-2. Later elections are added by operators, when their dates are official. */
const ELECTION_DAYS: readonly Holiday[] = [{ date: '2026-06-03', name: '전국동시지방선거일' }];

const SATURDAY = 5;
const SUNDAY = 6;

interface KnownHoliday {
  day: number;
  name: string;
  substitute: Substitute;
}

/** The public holidays of the Republic of Korea in one year, by the law of 2026, in order. */
export function koreanHolidays(year: number, lunar: LunarDates): Holiday[] {
  const known: KnownHoliday[] = [
    ...FIXED.filter(({ since = year }) => year >= since).map(({ monthDay, ...holiday }) => ({
      ...holiday,
      day: parseDay(`${year}-${monthDay}`),
    })),
    ...threeDays('설날', lunar.seollal),
    { day: parseDay(lunar.buddhasBirthday), name: '부처님 오신 날', substitute: 'weekend' },
    ...threeDays('추석', lunar.chuseok),
    ...ELECTION_DAYS.filter(({ date }) => date.startsWith(`${year}-`)).map(({ date, name }) => ({
      ...{ day: parseDay(date), name, substitute: 'never' as const },
    })),
  ];
  return mergeDates(
    [...known, ...substitutes(known)].map(({ day, name }) => ({ date: toDate(day), name })),
  );
}

/** The day before, the day itself and the day after. */
function threeDays(name: string, date: string): KnownHoliday[] {
  const day = parseDay(date);
  return [
    { day: day - 1, name: `${name} 연휴`, substitute: 'sunday' },
    { day, name, substitute: 'sunday' },
    { day: day + 1, name: `${name} 연휴`, substitute: 'sunday' },
  ];
}

/** Article 3: each is the first day after its holiday that is no weekend, holiday or other substitute. */
function substitutes(known: readonly KnownHoliday[]): { day: number; name: string }[] {
  const taken = new Set(known.map(({ day }) => day));
  const isWorkday = (day: number) => toWeekday(day) < SATURDAY && !taken.has(day);
  return [...known]
    .sort((a, b) => a.day - b.day)
    .filter((holiday) => hasSubstitute(holiday, known))
    .map(({ day, name }) => {
      let substitute = day + 1;
      while (!isWorkday(substitute)) substitute += 1;
      taken.add(substitute);
      return { day: substitute, name: `${name.replace(' 연휴', '')} 대체공휴일` };
    });
}

function hasSubstitute(holiday: KnownHoliday, known: readonly KnownHoliday[]): boolean {
  if (holiday.substitute === 'never') return false;
  const weekday = toWeekday(holiday.day);
  if (weekday === SUNDAY) return true;
  if (weekday === SATURDAY) return holiday.substitute === 'weekend';
  // Two holidays on one weekday have one substitute day, not two.
  const sameDay = known.filter(({ day, substitute }) => {
    return day === holiday.day && substitute !== 'never';
  });
  const isShared = known.some((other) => other !== holiday && other.day === holiday.day);
  return isShared && sameDay[0] === holiday;
}
