import { describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { hostResolvers } from '../src/adapters/host-resolvers.ts';
import type { HostViews, ReportedBooking } from '../src/ports.ts';
import { toSpaceView } from '../src/space-view.ts';
import { bookingEvent, paymentEvent, spaceEvent } from './a-history.ts';
import { projectAll } from './a-view-database.ts';

const MAX_INT = 2 ** 31 - 1;
const DATES = { firstDate: '2030-06-03', lastDate: '2030-06-03' };

const contextOf = (userId: string) =>
  ({ principal: { userId, roles: ['HOST'] } }) as unknown as SubgraphContext;

/** A host with so many spaces that are used on 3 June 2030, and what was read of them. */
function aHost(spaces: number, amounts: readonly (readonly [number, 'KRW' | 'USD'])[]) {
  const spaceIds = Array.from({ length: spaces }, () => uuidv7());
  const reads = { zones: 0, spaces: [] as string[], mostAtOnce: 0 };
  const views = {
    spaceZones: async () => {
      reads.zones += 1;
      return new Map(spaceIds.map((spaceId) => [spaceId, 'Asia/Seoul']));
    },
    spaces: async (_hostId: string, wanted: readonly string[]) => {
      reads.spaces.push(...wanted);
      reads.mostAtOnce = Math.max(reads.mostAtOnce, wanted.length);
      return wanted.map((spaceId) => toSpaceView(spaceEvent(1, { spaceId })));
    },
    async *bookingsBetween() {
      yield amounts.map(([amount, currency]) => {
        const changes = { bookingId: uuidv7(), price: { amount, currency } };
        const paid = [bookingEvent(2, 'PAID', changes), paymentEvent(2, 'APPROVED', changes)];
        return projectAll(paid) as ReportedBooking;
      });
    },
  } as unknown as HostViews;
  return { spaceIds, reads, resolvers: hostResolvers(views) };
}

type Day = Parameters<ReturnType<typeof hostResolvers>['HostDay']['revenue']>[0];

describe('a day of a report', () => {
  test.each([
    [
      'an amount that an Int can have is one entry',
      [MAX_INT - 1, 1],
      [{ amount: MAX_INT, currency: 'KRW' }],
    ],
    [
      'a larger amount is several entries of its currency',
      [MAX_INT, MAX_INT, 5],
      [
        { amount: MAX_INT, currency: 'KRW' },
        { amount: MAX_INT, currency: 'KRW' },
        { amount: 5, currency: 'KRW' },
      ],
    ],
    ['an amount of 0 is one entry', [0], [{ amount: 0, currency: 'KRW' }]],
  ])('%s', async (_, amounts, revenue) => {
    const { resolvers } = aHost(1, [
      ...amounts.map((amount) => [amount, 'KRW'] as const),
      [7, 'USD'],
    ]);
    const [day] = await resolvers.HostPage.report({}, DATES, contextOf('haru'));
    expect(resolvers.HostDay.revenue(day as Day)).toEqual([
      ...revenue,
      { amount: 7, currency: 'USD' },
    ]);
  });
});

describe('the spaces of a report', () => {
  test('opening times are not read unless open minutes are selected', async () => {
    const { reads, resolvers } = aHost(3, [[10, 'KRW']]);
    expect(await resolvers.HostPage.report({}, DATES, contextOf('haru'))).toHaveLength(1);
    expect(reads).toEqual({ zones: 1, spaces: [], mostAtOnce: 0 });
  });

  test('the reports of one request read each space once, some at a time', async () => {
    const { spaceIds, reads, resolvers } = aHost(60, [[10, 'KRW']]);
    const context = contextOf('haru');
    const minutesOf = async () => {
      const days = await resolvers.HostPage.report({}, DATES, context);
      return Promise.all(days.map(resolvers.HostDay.openMinutes));
    };
    const reports = await Promise.all([minutesOf(), minutesOf(), minutesOf()]);
    expect(reports).toEqual([[32_400], [32_400], [32_400]]);
    expect(reads).toEqual({ zones: 1, spaces: spaceIds, mostAtOnce: 25 });
    await resolvers.HostPage.report({}, DATES, contextOf('haru'));
    expect(reads.zones).toBe(2);
  });
});
