import { requirePrincipal } from '#platform/auth/principal.ts';
import { badInput } from '#platform/graphql/errors.ts';
import { LocalDate } from '#platform/graphql/scalars.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { type HolidaySetting, setHoliday } from '../application/set-holiday.ts';
import { FIRST_YEAR, isCountry, LAST_YEAR } from '../domain/public-holidays.ts';
import type { BookPorts } from '../ports.ts';

/** The fields about public holidays. */
export function holidayResolvers(ports: Pick<BookPorts, 'holidays'>) {
  return {
    Date: LocalDate,
    Query: {
      holidays(_: unknown, { country, year }: { country: string; year: number }) {
        if (!isCountry(country)) {
          throw badInput('country', 'Write the two capital letters of ISO 3166-1, such as KR.');
        }
        if (year < FIRST_YEAR || year > LAST_YEAR) {
          throw badInput('year', `Write a year from ${FIRST_YEAR} to ${LAST_YEAR}.`);
        }
        return ports.holidays.ofYear(country, year);
      },
    },
    Mutation: {
      async setHoliday(
        _: unknown,
        { input }: { input: HolidaySetting },
        { principal }: SubgraphContext,
      ) {
        const { userId } = requirePrincipal(principal);
        const result = await setHoliday(ports, { ...input }, { userId, role: 'operator' });
        return 'type' in result ? result : { type: 'SetHolidaySuccess', holidays: result };
      },
    },
    SetHolidayResult: { __resolveType: ({ type }: { type: string }) => type },
  };
}
