import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { LIST_SPACE, listSpace, newCustomer, nextSlot } from '../support/customer.ts';
import { describeRouters, until } from '../support/system.ts';

const SPACES = `query ($filter: SpaceFilter, $first: Int, $after: String) {
  spaces(filter: $filter, first: $first, after: $after) {
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
  async function names(filter: object): Promise<string[]> {
    const { data } = await system.graphql(null, SPACES, { filter, first: 100 });
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

  test('pages of spaces follow one another without loss or repetition', async () => {
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
    expect(seen).toEqual(listed);
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
    expect(await names({ text: word })).toEqual([`${word} small`, `${word} big`, 'Hall']);
    expect(await names({ text: word, minCapacity: 50 })).toEqual([`${word} big`, 'Hall']);
    expect(await names({ text: word, maxHourlyRate: 9_000 })).toEqual([
      `${word} small`,
      `${word} big`,
    ]);
    expect(await names({ text: word, minCapacity: 3, maxHourlyRate: 9_000 })).toEqual([
      `${word} big`,
    ]);
    expect(await names({ text: '100% _wild' })).toEqual([]);
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
  ])('a listing with %j is refused with the name of the field %s', async (input, field) => {
    const token = await system.token('host', 'host');
    const complete = { name: 'X', capacity: 1, hourlyRate: 1, ...input };
    const { data } = await system.graphql(token, LIST_SPACE, { input: complete });
    expect(data.listSpace).toMatchObject({ __typename: 'InvalidSpace', field });
  });
});
