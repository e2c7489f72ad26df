import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot } from '../support/customer.ts';
import { describeRouters, type System, until } from '../support/system.ts';

const PAGE = `query ($spaceId: ID, $status: [BookingStatus!], $from: DateTime, $before: DateTime, $first: Int, $after: String) {
  hostPage {
    awaitingApproval
    bookings(spaceId: $spaceId, status: $status, startsFrom: $from, startsBefore: $before, first: $first, after: $after) {
      edges { cursor node {
        bookingId spaceId spaceName customerId slot { startAt endAt } headcount price { amount currency }
        refunded { amount currency } status note requestedAt decideBefore version
      } }
      pageInfo { hasNextPage hasPreviousPage endCursor }
    }
  }
}`;
const REPORT = `query ($spaceId: ID, $firstDate: Date!, $lastDate: Date!) {
  hostPage { report(spaceId: $spaceId, firstDate: $firstDate, lastDate: $lastDate) {
    date bookings bookedMinutes openMinutes revenue { amount currency }
  } }
}`;
const HOUR_MS = 3_600_000;

type Space = Awaited<ReturnType<typeof listSpace>>;

async function pageOf(system: System, { token }: { token: string }, variables: object = {}) {
  const { data, errors } = await system.graphql(token, PAGE, variables);
  expect(errors).toBeUndefined();
  // biome-ignore lint/suspicious/noExplicitAny: a response of the API
  const { bookings, awaitingApproval }: any = data.hostPage;
  return {
    awaitingApproval,
    // biome-ignore lint/suspicious/noExplicitAny: a response of the API
    nodes: bookings.edges.map(({ node }: any) => node),
    pageInfo: bookings.pageInfo,
  };
}

const idsOf = async (...args: Parameters<typeof pageOf>): Promise<string[]> =>
  (await pageOf(...args)).nodes.map(({ bookingId }: { bookingId: string }) => bookingId);

/** Several REGISTERED bookings of one customer at the space; resolves with their ids in order of slots. */
async function bookSeveral(system: System, space: Space, count: number) {
  const kim = await newCustomer(system);
  const bookings: { id: string; slot: ReturnType<typeof nextSlot> }[] = [];
  for (let n = 0; n < count; n += 1) {
    const slot = nextSlot();
    const { booking } = await kim.request(space.id, { slot, headcount: 2 });
    bookings.push({ id: booking.id, slot });
  }
  for (const { id } of bookings) await kim.waitForStatus(id, 'REGISTERED');
  return { kim, bookings };
}

describeRouters('the host’s page', (system) => {
  test('a host sees the bookings of their space by earliest start, in pages, by status and start', async () => {
    const space = await listSpace(system);
    const { kim, bookings } = await bookSeveral(system, space, 5);
    const ids = bookings.map(({ id }) => id);
    await until('mypage knows the host', async () => (await idsOf(system, space)).length === 5);

    const seen: string[] = [];
    for (let after: string | null = null, page = 0; page < 3; page += 1) {
      const { nodes, pageInfo } = await pageOf(system, space, { first: 2, after });
      seen.push(...nodes.map(({ bookingId }: { bookingId: string }) => bookingId));
      expect(pageInfo).toMatchObject({ hasNextPage: page < 2, hasPreviousPage: page > 0 });
      after = pageInfo.endCursor;
    }
    expect(seen).toEqual(ids);

    const [first] = (await pageOf(system, space)).nodes;
    expect(first).toEqual({
      ...{ bookingId: ids[0], spaceId: space.id, spaceName: space.name, customerId: kim.name },
      slot: bookings[0]?.slot,
      headcount: expect.any(Number),
      price: { amount: 20_000, currency: 'KRW' },
      refunded: { amount: 0, currency: 'KRW' },
      ...{ status: 'REGISTERED', note: null, requestedAt: expect.any(String), decideBefore: null },
      version: expect.any(Number),
    });
    expect(Math.abs(Date.parse(first.requestedAt) - Date.now())).toBeLessThan(HOUR_MS);

    await kim.cancel(ids[3] as string);
    await kim.waitForStatus(ids[3] as string, 'CANCELLED');
    expect(await idsOf(system, space, { status: ['CANCELLED'] })).toEqual([ids[3]]);
    expect(await idsOf(system, space, { status: ['AWAITING_APPROVAL'] })).toEqual([]);
    const range = { from: bookings[1]?.slot.startAt, before: bookings[3]?.slot.startAt };
    expect(await idsOf(system, space, range)).toEqual(ids.slice(1, 3));
  });

  test('a host sees all of their spaces, or one', async () => {
    const one = await listSpace(system);
    const { data } = await system.graphql(
      one.token,
      `mutation { listSpace(input: { name: "Attic", capacity: 2, hourlyRate: 1000 }) {
        ... on ListSpaceSuccess { space { id name } } } }`,
    );
    const other = { ...one, ...data.listSpace.space };
    const [mine, more] = [await bookSeveral(system, one, 1), await bookSeveral(system, other, 1)];
    const ids = [...mine.bookings, ...more.bookings].map(({ id }) => id);
    await until('mypage knows both', async () => (await idsOf(system, one)).length === 2);
    expect(await idsOf(system, one)).toEqual(ids);
    expect(await idsOf(system, one, { spaceId: other.id })).toEqual([ids[1]]);
  });

  test('a host sees nothing of another host’s space, as of one that does not exist', async () => {
    const [space, stranger] = [await listSpace(system), await listSpace(system)];
    const { bookings } = await bookSeveral(system, space, 1);
    await until('mypage knows the host', async () => (await idsOf(system, space)).length === 1);
    expect(await idsOf(system, stranger)).toEqual([]);
    expect(await idsOf(system, stranger, { spaceId: space.id })).toEqual([]);
    const day = bookings[0]?.slot.startAt.slice(0, 10);
    const { data } = await system.graphql(stranger.token, REPORT, {
      ...{ spaceId: space.id, firstDate: day, lastDate: day },
    });
    expect(data.hostPage.report).toEqual([]);
  });

  test('a report has the booked and open minutes and the revenue of each day', async () => {
    const day = 'MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY'.split(' ');
    const space = await listSpace(system, {
      timeZone: 'UTC',
      openingHours: day.map((each) => ({ day: each, opens: '00:00', closes: '10:00' })),
      refundTiers: [{ daysBefore: 0, percent: 25 }],
    });
    const { kim, bookings } = await bookSeveral(system, space, 3);
    const dates = bookings.map(({ slot }) => slot.startAt.slice(0, 10));
    await kim.cancel(bookings[1]?.id as string);
    await kim.waitForView(bookings[1]?.id as string, {
      status: 'CANCELLED',
      paymentStatus: 'PARTIALLY_REFUNDED',
    });
    const range = { firstDate: dates[0], lastDate: dates[2] };
    const used = { bookings: 1, bookedMinutes: 60, openMinutes: 600 };
    const revenue = (amount: number) => [{ amount, currency: 'KRW' }];
    const expected = [
      { date: dates[0], ...used, revenue: revenue(20_000) },
      {
        ...{ date: dates[1], bookings: 0, bookedMinutes: 0, openMinutes: 600 },
        revenue: revenue(15_000),
      },
      { date: dates[2], ...used, revenue: revenue(20_000) },
    ];
    for (const spaceId of [null, space.id]) {
      const { data } = await system.graphql(space.token, REPORT, { ...range, spaceId });
      expect(data.hostPage.report).toEqual(expected);
    }
    const last = await system.graphql(space.token, REPORT, { ...range, firstDate: dates[2] });
    expect(last.data.hostPage.report).toEqual(expected.slice(2));
  });

  test('the host’s page is for hosts only', async () => {
    const kim = await newCustomer(system);
    for (const [token, code] of [
      [kim.token, 'FORBIDDEN'],
      [null, 'UNAUTHENTICATED'],
    ] as const) {
      const { errors } = await system.graphql(token, PAGE);
      expect(errors?.[0]?.extensions.code).toBe(code);
    }
  });

  test.each([
    ['a page of 101', PAGE, { first: 101 }, 'first'],
    ['a cursor of nothing', PAGE, { after: 'nothing' }, 'after'],
    ['a space that is no id', PAGE, { spaceId: '1' }, 'spaceId'],
    [
      'a report of 367 days',
      REPORT,
      { firstDate: '2030-01-01', lastDate: '2031-01-02' },
      'lastDate',
    ],
    [
      'a report that ends first',
      REPORT,
      { firstDate: '2030-01-02', lastDate: '2030-01-01' },
      'lastDate',
    ],
    [
      'a report of the year 9999',
      REPORT,
      { firstDate: '9999-12-31', lastDate: '9999-12-31' },
      'firstDate',
    ],
  ])('%s is a bad request that names the argument', async (_what, query, variables, field) => {
    const token = await system.token('a-host', 'host');
    const { errors } = await system.graphql(token, query, variables);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
  });

  test.each(['2030-02-30', '2030-1-1', '20300101', '2030-01-01T00:00:00Z', '', 'today'])(
    'the text "%s" is no date',
    async (date) => {
      const token = await system.token('a-host', 'host');
      const { errors } = await system.graphql(token, REPORT, { firstDate: date, lastDate: date });
      expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
      expect(errors?.[0]?.message).toContain('is no date');
    },
  );
});
