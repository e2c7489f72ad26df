import { requirePrincipal } from '#platform/auth/principal.ts';
import { badInput } from '#platform/graphql/errors.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { type HolidaySetting, setHoliday } from '../application/set-holiday.ts';
import { isCountry, knownYears } from '../domain/public-holidays.ts';
import type { BookPorts } from '../ports.ts';

/** The fields about public holidays. */
export function holidayResolvers(ports: Pick<BookPorts, 'holidays' | 'clock'>) {
  return {
    Query: {
      holidays(_: unknown, { country, year }: { country: string; year: number }) {
        if (!isCountry(country)) {
          throw badInput('country', 'Write the two capital letters of ISO 3166-1, such as KR.');
        }
        const { first, last } = knownYears(ports.clock());
        if (year < first || year > last) {
          throw badInput('year', `Write a year from ${first} to ${last}.`);
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
