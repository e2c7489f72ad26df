import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, sql } from '../support/customer.ts';
import { describeRouters, until } from '../support/system.ts';

const SPACE = `id name description address capacity hourlyRate { amount currency }
  openingHours { day opens closes } refundTiers { daysBefore percent } state bookingMode
  bookingRules { stepMinutes minMinutes maxMinutes minNoticeMinutes maxAdvanceDays bufferBeforeMinutes
    bufferAfterMinutes approvalHours }
  openingExceptions { date hours { opens closes } reason }
  priceRules { name days onHolidays from to firstDate lastDate hourlyRate { amount currency } }
  includedHeadcount extraPersonHourlyRate { amount currency }
  addOns { id name unit price { amount currency } maxQuantity }
  holidayCountry vatPercent photos { url alt } amenities version`;

const UPDATE_SPACE = `mutation ($input: UpdateSpaceInput!) {
  updateSpace(input: $input) {
    __typename
    ... on UpdateSpaceSuccess { space { ${SPACE} } }
    ... on SpaceChanged { space { id version name } }
    ... on InvalidSpace { field }
    ... on Problem { message }
  }
}`;

const TERMS = {
  bookingMode: 'APPROVAL',
  bookingRules: { stepMinutes: 60, bufferAfterMinutes: 15, approvalHours: 12 },
  openingExceptions: [
    { date: '2031-01-01', hours: [], reason: 'New Year' },
    { date: '2031-01-02', hours: [{ opens: '12:00', closes: '24:00' }], reason: '' },
  ],
  priceRules: [
    {
      ...{
        name: 'Night',
        days: ['FRIDAY', 'SATURDAY'],
        onHolidays: true,
        from: '22:00',
        to: '06:00',
      },
      ...{ firstDate: '2031-01-01', lastDate: '2031-12-31', hourlyRate: 40_000 },
    },
  ],
  includedHeadcount: 4,
  extraPersonHourlyRate: 5_000,
  addOns: [{ name: 'Projector', unit: 'PER_BOOKING', price: 10_000, maxQuantity: 2 }],
  holidayCountry: 'KR',
  vatPercent: 0,
  photos: [{ url: 'https://photos.example/1.jpg', alt: 'The room' }],
  amenities: ['Wi-Fi', '주차'],
};

describeRouters('the terms of a space', (system) => {
  const read = async (id: string, token: string | null = null) =>
    (await system.graphql(token, `query ($id: ID!) { space(id: $id) { ${SPACE} } }`, { id })).data
      .space;
  async function update(token: string | null, spaceId: string, changes: object) {
    const input = { spaceId, expectedVersion: 1, ...changes };
    const response = await system.graphql(token, UPDATE_SPACE, { input });
    if (response.errors) throw new Error(JSON.stringify(response.errors));
    return response.data.updateSpace;
  }
  const myNames = async (token: string | null) => {
    const query =
      '{ spaces(filter: { mine: true }, orderBy: NAME) { edges { node { name state } } } }';
    const { data, errors } = await system.graphql(token, query);
    return errors ?? data.spaces.edges.map(({ node }: { node: object }) => node);
  };

  test('a space is shown with the terms that it was listed with', async () => {
    const { id } = await listSpace(system, { capacity: 10, ...TERMS });
    const money = (amount: number) => ({ amount, currency: 'KRW' });
    const [rule, addOn] = [TERMS.priceRules[0], TERMS.addOns[0]];
    expect(await read(id)).toMatchObject({
      ...TERMS,
      state: 'ACTIVE',
      bookingRules: {
        ...{ stepMinutes: 60, minMinutes: 60, maxMinutes: 44_640, minNoticeMinutes: 0 },
        ...{ maxAdvanceDays: 365, bufferBeforeMinutes: 0, bufferAfterMinutes: 15 },
        approvalHours: 12,
      },
      priceRules: [{ ...rule, hourlyRate: money(40_000) }],
      extraPersonHourlyRate: money(5_000),
      addOns: [{ ...addOn, id: expect.any(String), price: money(10_000) }],
      version: 1,
    });
  });

  test('a space listed without terms has the default ones, also where they are null', async () => {
    const plain = await listSpace(system, { capacity: 10 });
    const nothing = Object.fromEntries(Object.keys(TERMS).map((field) => [field, null]));
    const other = await listSpace(system, { capacity: 10, ...nothing });
    const { id, name, ...terms } = await read(plain.id);
    expect(terms).toMatchObject({
      ...{ state: 'ACTIVE', bookingMode: 'INSTANT', openingExceptions: [], priceRules: [] },
      ...{ includedHeadcount: 10, extraPersonHourlyRate: { amount: 0, currency: 'KRW' } },
      ...{ addOns: [], holidayCountry: null, vatPercent: 10, photos: [], amenities: [] },
      bookingRules: { stepMinutes: 30, minMinutes: 30, maxMinutes: 44_640, maxAdvanceDays: 365 },
    });
    expect(await read(other.id)).toEqual({ ...terms, id: other.id, name: other.name });
  });

  test('an update changes what it names and leaves the rest, and null clears the holidays alone', async () => {
    const space = await listSpace(system, { capacity: 10, ...TERMS });
    const before = await read(space.id);
    const changes = { name: 'Attic', holidayCountry: null, vatPercent: null, photos: null };
    const { space: after } = await update(space.token, space.id, {
      ...changes,
      bookingRules: { maxAdvanceDays: 30, stepMinutes: null },
      addOns: [
        { name: 'Chairs', unit: 'PER_PERSON', price: 1_000 },
        { id: before.addOns[0].id, name: 'Beamer', unit: 'PER_BOOKING', price: 9_000 },
      ],
    });
    expect(after).toEqual({
      ...before,
      name: 'Attic',
      holidayCountry: null,
      bookingRules: { ...before.bookingRules, maxAdvanceDays: 30 },
      addOns: [
        expect.objectContaining({ name: 'Chairs', maxQuantity: 1 }),
        expect.objectContaining({ id: before.addOns[0].id, name: 'Beamer', maxQuantity: 1 }),
      ],
      version: 2,
    });
    expect(await read(space.id)).toEqual(after);
    const again = await update(space.token, space.id, { expectedVersion: 2, name: 'Attic' });
    expect(again).toMatchObject({ __typename: 'UpdateSpaceSuccess', space: { version: 2 } });
  });

  test('an update of an old version is refused with the space as it is now', async () => {
    const { id, token } = await listSpace(system);
    const names = Array.from({ length: 5 }, (_, index) => `Loft ${index}`);
    const results = await Promise.all(names.map((name) => update(token, id, { name })));
    const winner = results.find(({ __typename }) => __typename === 'UpdateSpaceSuccess');
    expect(winner.space.version).toBe(2);
    for (const result of results.filter((each) => each !== winner)) {
      expect(result).toMatchObject({
        __typename: 'SpaceChanged',
        message: expect.stringContaining('version 2'),
        space: { id, version: 2, name: winner.space.name },
      });
    }
  });

  test.each([
    [{ capacity: 0 }, 'capacity'],
    [{ capacity: 3 }, 'includedHeadcount'],
    [{ bookingRules: { minMinutes: 90 } }, 'bookingRules.minMinutes'],
    [{ addOns: [{ id: randomUUID(), name: 'x', unit: 'PER_HOUR', price: 1 }] }, 'addOns[0].id'],
    [{ holidayCountry: 'Korea' }, 'holidayCountry'],
    [{ amenities: ['a', 'A'] }, 'amenities[1]'],
  ])(
    'an update with %j is refused with the field %s, and changes nothing',
    async (input, field) => {
      const { id, token } = await listSpace(system, { capacity: 10, ...TERMS });
      const before = await read(id);
      expect(await update(token, id, input)).toMatchObject({ __typename: 'InvalidSpace', field });
      expect(await read(id)).toEqual(before);
    },
  );

  test('a date that is not in the calendar is bad input', async () => {
    const { id, token } = await listSpace(system);
    for (const date of ['2031-02-29', '2031-1-1', '20310101', 'tomorrow', 5]) {
      const openingExceptions = [{ date, hours: [] }];
      const input = { spaceId: id, expectedVersion: 1, openingExceptions };
      const { errors } = await system.graphql(token, UPDATE_SPACE, { input });
      expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    }
  });

  test('only the host of a space and operators update it, and the audit log says who changed what', async () => {
    const space = await listSpace(system);
    const other = await listSpace(system);
    const [olga, customer] = [`olga-${randomUUID()}`, await newCustomer(system)];
    const operator = await system.token(olga, 'operator');
    const notFound = { __typename: 'SpaceNotFound', message: 'There is no such space.' };
    expect(await update(other.token, space.id, { name: 'Mine' })).toEqual(notFound);
    expect(await update(space.token, randomUUID(), { name: 'Mine' })).toEqual(notFound);
    await expect(update(customer.token, space.id, { name: 'Mine' })).rejects.toThrow('FORBIDDEN');
    await expect(update(null, space.id, { name: 'Mine' })).rejects.toThrow('UNAUTHENTICATED');
    await update(space.token, space.id, { capacity: 20, name: space.name });
    await update(operator, space.id, { expectedVersion: 2, state: 'PAUSED' });
    const log = `query ($id: ID!) { spaceAuditLog(subjectId: $id) {
      edges { node { userId actedAs action details } } } }`;
    const { data } = await system.graphql(operator, log, { id: space.id });
    const entries = data.spaceAuditLog.edges.map(
      ({ node: { details, ...entry } }: { node: { details: string } }) => ({
        ...entry,
        details: JSON.parse(details),
      }),
    );
    expect(entries).toMatchObject([
      { userId: olga, actedAs: 'OPERATOR', action: 'updateSpace', details: { changed: ['state'] } },
      {
        ...{ userId: space.host, actedAs: 'HOST', action: 'updateSpace' },
        details: { changed: ['capacity', 'includedHeadcount'], version: 2 },
      },
      { userId: space.host, action: 'listSpace' },
    ]);
  });

  test('book knows a changed space, and a booking keeps the name and price that it was made with', async () => {
    const space = await listSpace(system, { hourlyRate: 20_000 });
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    await update(space.token, space.id, { name: 'Attic', capacity: 2, hourlyRate: 50_000 });
    await until('book knows the new rate', async () => {
      const [row] = await sql(
        system,
        'book',
        'SELECT hourly_rate, capacity, name, version FROM catalogue_space WHERE id = $1',
        [space.id],
      );
      return row.version === 2 && row.hourly_rate === 50_000 && row.name === 'Attic' && row;
    });
    const refused = await kim.request(space.id, { headcount: 3 });
    expect(refused).toMatchObject({ __typename: 'InvalidBookingRequest', field: 'headcount' });
    const later = await kim.request(space.id);
    expect(later.booking.price.amount).toBe(50_000);
    expect(await kim.booking(booking.id)).toMatchObject({ price: { amount: 20_000 } });
    await kim.waitForView(booking.id, { spaceName: space.name, price: { amount: 20_000 } });
  });

  test('an archived space is shown to its host, to operators and in its bookings alone', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    await update(space.token, space.id, { state: 'ARCHIVED' });
    const operator = await system.token('olga', 'operator');
    const stranger = await listSpace(system);
    expect(await read(space.id)).toBeNull();
    expect(await read(space.id, kim.token)).toBeNull();
    expect(await read(space.id, stranger.token)).toBeNull();
    expect(await read(space.id, space.token)).toMatchObject({ state: 'ARCHIVED' });
    expect(await read(space.id, operator)).toMatchObject({ state: 'ARCHIVED' });
    expect((await kim.booking(booking.id)).space).toEqual({ id: space.id, name: space.name });
  });

  test('the filter mine shows the own spaces in every state, and needs a signed-in user', async () => {
    const host = `host-${randomUUID()}`;
    const token = await system.token(host, 'host');
    const list = async (name: string, state: string) => {
      const mutation = `mutation ($input: ListSpaceInput!) {
        listSpace(input: $input) { ... on ListSpaceSuccess { space { id } } } }`;
      const input = { name, capacity: 1, hourlyRate: 1 };
      const { data } = await system.graphql(token, mutation, { input });
      await update(token, data.listSpace.space.id, { state });
    };
    for (const state of ['PAUSED', 'ACTIVE', 'ARCHIVED']) await list(`a ${state}`, state);
    expect(await myNames(token)).toEqual([
      { name: 'a ACTIVE', state: 'ACTIVE' },
      { name: 'a ARCHIVED', state: 'ARCHIVED' },
      { name: 'a PAUSED', state: 'PAUSED' },
    ]);
    expect(await myNames(await system.token(`other-${host}`, 'host'))).toEqual([]);
    expect(await myNames(null)).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });
});
