import {
  type Holiday,
  type HolidayOverride,
  isCountry,
  knownYears,
} from '../domain/public-holidays.ts';
import type { ActingPrincipal, BookPorts } from '../ports.ts';

/** The input breaks a rule. */
export interface InvalidHoliday {
  type: 'InvalidHoliday';
  field: string;
  message: string;
}

export interface HolidaySetting extends HolidayOverride {
  country: string;
}

const MAX_NAME_LENGTH = 100;
/** A limit on what every quote of a country reads. */
const MAX_OVERRIDES = 1_000;

/** Makes a date a public holiday of a country, or none; returns the holidays of its year. */
export async function setHoliday(
  ports: Pick<BookPorts, 'holidays' | 'clock'>,
  { country, ...setting }: HolidaySetting,
  by: ActingPrincipal,
): Promise<Holiday[] | InvalidHoliday> {
  const name = setting.name.trim();
  const year = Number(setting.date.slice(0, 4));
  if (!isCountry(country)) {
    return invalid('country', 'Write the two capital letters of ISO 3166-1, such as KR.');
  }
  const { first, last } = knownYears(ports.clock());
  if (year < first || year > last) {
    return invalid('date', `Write a date of the years ${first} to ${last}.`);
  }
  if (name === '' || name.length > MAX_NAME_LENGTH || /[\p{Cc}\p{Cs}]/u.test(name)) {
    return invalid(
      'name',
      `The name must have 1 to ${MAX_NAME_LENGTH} characters, none a control character.`,
    );
  }
  if (!(await ports.holidays.set(country, { ...setting, name }, MAX_OVERRIDES, by))) {
    return invalid(
      'country',
      `${country} has ${MAX_OVERRIDES} dates set already: change one of them.`,
    );
  }
  return ports.holidays.ofYear(country, year);
}

function invalid(field: string, message: string): InvalidHoliday {
  return { type: 'InvalidHoliday', field, message };
}
