import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { LIST_SPACE, listSpace, newCustomer, nextSlot } from '../support/customer.ts';
import { describeRouters, until } from '../support/system.ts';

const SPACES = `query ($filter: SpaceFilter, $first: Int, $after: String, $orderBy: SpaceOrder) {
  spaces(filter: $filter, first: $first, after: $after, orderBy: $orderBy) {
    edges { cursor node { id name } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

const FREE_SLOTS = `query ($id: ID!, $from: DateTime!, $to: DateTime!) {
  space(id: $id) { freeSlots(from: $from, to: $to) { startAt endAt } }
}`;

/** The next day of the zone on which clocks change, from the day after tomorrow on. */
function nextClockChange(zone: string): DateTime {
  let day = DateTime.now().setZone(zone).startOf('day').plus({ days: 2 });
  while (day.plus({ days: 1 }).diff(day, 'hours').hours === 24) day = day.plus({ days: 1 });
  return day;
}

describeRouters('the catalogue', (system) => {
  async function names(
    filter: object,
    { orderBy, token = null }: { orderBy?: string; token?: string | null } = {},
  ): Promise<string[]> {
    const { data } = await system.graphql(token, SPACES, { filter, first: 100, orderBy });
    return data.spaces.edges.map((edge: { node: { name: string } }) => edge.node.name);
  }

  test('a listed space is shown as it was listed, with defaults for the rest', async () => {
    const { id } = await listSpace(system, {
      name: 'Atelier',
      description: 'Bright',
      address: '1 Rue',
      timeZone: 'Europe/Paris',
      capacity: 4,
      hourlyRate: 2_500,
      currency: 'EUR',
    });
    const { data } = await system.graphql(
      null,
      `query ($id: ID!) { space(id: $id) { name description address timeZone capacity
         hourlyRate { amount currency } openingHours { day opens closes }
         refundTiers { daysBefore percent } } }`,
      { id },
    );
    expect(data.space).toMatchObject({
      name: 'Atelier',
      description: 'Bright',
      address: '1 Rue',
      timeZone: 'Europe/Paris',
      capacity: 4,
      hourlyRate: { amount: 2_500, currency: 'EUR' },
      refundTiers: [
        { daysBefore: 7, percent: 100 },
        { daysBefore: 1, percent: 50 },
      ],
    });
    expect(data.space.openingHours).toHaveLength(7);
    expect(data.space.openingHours[0]).toEqual({ day: 'MONDAY', opens: '00:00', closes: '24:00' });
  });

  test('pages of spaces follow one another without loss or repetition, the newest first', async () => {
    const word = randomUUID();
    const listed: string[] = [];
    for (let n = 0; n < 5; n += 1)
      listed.push((await listSpace(system, { name: `${word} ${n}` })).id);
    const seen: string[] = [];
    let after: string | null = null;
    for (let page = 0; page < 3; page += 1) {
      const variables: object = { filter: { text: word }, first: 2, after };
      // biome-ignore lint/suspicious/noExplicitAny: a response of the API
      const { spaces }: any = (await system.graphql(null, SPACES, variables)).data;
      seen.push(...spaces.edges.map((edge: { node: { id: string } }) => edge.node.id));
      expect(spaces.pageInfo).toMatchObject({
        hasNextPage: page < 2,
        hasPreviousPage: page > 0,
        endCursor: spaces.edges.at(-1).cursor,
      });
      after = spaces.pageInfo.endCursor;
    }
    expect(seen).toEqual(listed.reverse());
  });

  test('each filter of spaces narrows the list, and all given filters must match', async () => {
    const word = randomUUID();
    await listSpace(system, { name: `${word} small`, capacity: 2, hourlyRate: 1_000 });
    await listSpace(system, { name: `${word} big`, capacity: 50, hourlyRate: 9_000 });
    await listSpace(system, {
      name: 'Hall',
      description: `In ${word.toUpperCase()}`,
      capacity: 50,
    });
    expect(await names({ text: word })).toEqual(['Hall', `${word} big`, `${word} small`]);
    expect(await names({ text: word, minCapacity: 50 })).toEqual(['Hall', `${word} big`]);
    expect(await names({ text: word, maxHourlyRate: 9_000 })).toEqual([
      `${word} big`,
      `${word} small`,
    ]);
    expect(await names({ text: word, minCapacity: 3, maxHourlyRate: 9_000 })).toEqual([
      `${word} big`,
    ]);
    expect(await names({ text: '100% _wild' })).toEqual([]);
  });

  test('spaces are ordered as requested, and a cursor of another order is bad input', async () => {
    const word = randomUUID();
    await listSpace(system, { name: `b ${word}`, hourlyRate: 2_000 });
    await listSpace(system, { name: `C ${word}`, hourlyRate: 1_000 });
    await listSpace(system, { name: `A ${word}`, hourlyRate: 3_000 });
    const initials = async (orderBy?: string) =>
      (await names({ text: word }, orderBy ? { orderBy } : {})).map((name) => name[0]).join('');
    expect(await initials()).toBe('ACb');
    expect(await initials('NEWEST')).toBe('ACb');
    expect(await initials('PRICE_LOW_FIRST')).toBe('CbA');
    expect(await initials('PRICE_HIGH_FIRST')).toBe('AbC');
    expect(await initials('NAME')).toBe('AbC');
    const page = async (variables: object) =>
      system.graphql(null, SPACES, { filter: { text: word }, first: 1, ...variables });
    const { data } = await page({ orderBy: 'PRICE_LOW_FIRST' });
    const after = data.spaces.pageInfo.endCursor;
    const next = await page({ orderBy: 'PRICE_LOW_FIRST', after });
    expect(next.data.spaces.edges[0].node.name).toBe(`b ${word}`);
    for (const orderBy of ['PRICE_HIGH_FIRST', 'NEWEST', 'NAME']) {
      const { errors } = await page({ orderBy, after });
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'after' });
    }
  });

  test.each([
    { order: 'NAME', name: 'a\u0000', id: randomUUID() },
    { order: 'NAME', name: 'a', id: 'b' },
    { order: 'PRICE_LOW_FIRST', currency: 'KRW', hourlyRate: 1e12, id: randomUUID() },
    { order: 'PRICE_LOW_FIRST', currency: 'WON', hourlyRate: 1, id: randomUUID() },
    { id: randomUUID() },
  ])('the invented cursor %j is bad input', async (position) => {
    const after = Buffer.from(JSON.stringify(position)).toString('base64url');
    const orderBy = position.order ?? 'NEWEST';
    const { errors } = await system.graphql(null, SPACES, { after, orderBy });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'after' });
  });

  test('spaces are found by amenities and by rates of a currency', async () => {
    const word = randomUUID();
    await listSpace(system, { name: `won ${word}`, amenities: [' Wi-Fi ', '주차'] });
    await listSpace(system, { name: `usd ${word}`, currency: 'USD', amenities: ['wi-fi'] });
    const found = (filter: object) => names({ text: word, ...filter });
    expect(await found({ amenities: ['WI-FI'] })).toEqual([`usd ${word}`, `won ${word}`]);
    expect(await found({ amenities: ['wi-fi', '주차'] })).toEqual([`won ${word}`]);
    expect(await found({ currency: 'USD', maxHourlyRate: 20_000 })).toEqual([`usd ${word}`]);
    expect(await found({ currency: 'KRW', maxHourlyRate: 19_999 })).toEqual([]);
  });

  test('the filter freeDuring hides a booked space and shows it again after a cancellation', async () => {
    const word = randomUUID();
    const space = await listSpace(system, { name: word });
    const kim = await newCustomer(system);
    const slot = nextSlot();
    const search = { text: word, freeDuring: slot };
    expect(await names(search)).toEqual([word]);
    const { booking } = await kim.request(space.id, { slot });
    await until('the space is booked', async () => (await names(search)).length === 0);
    await kim.waitForStatus(booking.id, 'REGISTERED');
    await kim.cancel(booking.id);
    await until('the space is free again', async () => (await names(search)).length === 1);
  });

  test('free slots are opening hours minus holds, in a time zone with daylight saving time', async () => {
    const space = await listSpace(system, {
      timeZone: 'America/New_York',
      openingHours: [{ day: 'SUNDAY', opens: '00:00', closes: '12:00' }],
    });
    const kim = await newCustomer(system);
    const day = nextClockChange('America/New_York');
    const at = (hour: number) => day.set({ hour }).toUTC().toISO() as string;
    const [from, noon, to] = [at(0), at(12), at(24)];
    const free = async () =>
      (await system.graphql(null, FREE_SLOTS, { id: space.id, from, to })).data.space.freeSlots;
    expect(await free()).toEqual([{ startAt: from, endAt: noon }]);
    // Three hours by the wall clock: two, or four where an hour comes twice.
    const slot = { startAt: at(1), endAt: at(4) };
    const { booking } = await kim.request(space.id, { slot });
    const hours = (Date.parse(slot.endAt) - Date.parse(slot.startAt)) / 3_600_000;
    expect([2, 4]).toContain(hours);
    expect(booking.price.amount).toBe(hours * 20_000);
    expect(await free()).toEqual([
      { startAt: from, endAt: slot.startAt },
      { startAt: slot.endAt, endAt: noon },
    ]);
    const closed = { startAt: at(11), endAt: at(13) };
    expect(await kim.request(space.id, { slot: closed })).toMatchObject({
      __typename: 'InvalidBookingRequest',
      field: 'slot',
    });
  });

  test.each([
    [{ name: '  ' }, 'name'],
    [{ capacity: 0 }, 'capacity'],
    [{ hourlyRate: -1 }, 'hourlyRate'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ timeZone: '+09:00' }, 'timeZone'],
    [
      { openingHours: [{ day: 'MONDAY', opens: '9:00', closes: '10:00' }] },
      'openingHours[0].opens',
    ],
    [
      { openingHours: [{ day: 'MONDAY', opens: '09:00', closes: '25:00' }] },
      'openingHours[0].closes',
    ],
    [
      { openingHours: [{ day: 'MONDAY', opens: '10:00', closes: '10:00' }] },
      'openingHours[0].closes',
    ],
    [{ refundTiers: [{ daysBefore: 1, percent: 101 }] }, 'refundTiers[0].percent'],
    [{ refundTiers: [{ daysBefore: -1, percent: 10 }] }, 'refundTiers[0].daysBefore'],
    [{ bookingRules: { stepMinutes: 7 } }, 'bookingRules.stepMinutes'],
    [{ includedHeadcount: 2 }, 'includedHeadcount'],
    [{ photos: [{ url: 'http://a.example/1.jpg' }] }, 'photos[0].url'],
    [
      { priceRules: [{ name: 'Night', from: '22:00', to: '22:00', hourlyRate: 1 }] },
      'priceRules[0].to',
    ],
    [
      { openingExceptions: [1, 2].map(() => ({ date: '2030-01-01', hours: [] })) },
      'openingExceptions[1].date',
    ],
  ])('a listing with %j is refused with the name of the field %s', async (input, field) => {
    const token = await system.token('host', 'host');
    const complete = { name: 'X', capacity: 1, hourlyRate: 1, ...input };
    const { data } = await system.graphql(token, LIST_SPACE, { input: complete });
    expect(data.listSpace).toMatchObject({ __typename: 'InvalidSpace', field });
  });
});
