import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot } from '../support/customer.ts';
import { describeRouters } from '../support/system.ts';

const QUOTE = `query ($id: ID!, $slot: TimeSlotInput!, $headcount: Int! = 1, $addOns: [AddOnSelectionInput!]) {
  space(id: $id) {
    name
    priceQuote(slot: $slot, headcount: $headcount, addOns: $addOns) {
      __typename
      ... on PriceQuote {
        lines { kind label quantity unitPrice { amount currency } amount { amount currency } }
        total { amount currency }
        vat { amount currency }
        refundSchedule { until percent refund { amount currency } }
      }
      ... on InvalidBookingRequest { field }
      ... on Problem { message }
    }
  }
}`;

const SET_HOLIDAY = `mutation ($input: SetHolidayInput!) {
  setHoliday(input: $input) {
    __typename
    ... on SetHolidaySuccess { holidays { date name } }
    ... on InvalidHoliday { field }
    ... on Problem { message }
  }
}`;

const HOLIDAYS = `query ($country: String!, $year: Int!) {
  holidays(country: $country, year: $year) { date name }
}`;

describeRouters('prices', (system) => {
  async function quote(id: string, variables: object) {
    const { data, errors } = await system.graphql(null, QUOTE, { id, ...variables });
    expect(errors).toBeUndefined();
    return data.space.priceQuote;
  }

  test('a quote is what a booking then charges, with the refunds of its cancellation', async () => {
    const { id } = await listSpace(system, { hourlyRate: 30_000, timeZone: 'Asia/Seoul' });
    const slot = nextSlot(30, 2);
    const won = (amount: number) => ({ amount, currency: 'KRW' });
    const daysBefore = (days: number) =>
      new Date(Date.parse(slot.startAt) - days * 86_400_000).toISOString();
    const quoted = await quote(id, { slot });
    expect(quoted).toEqual({
      __typename: 'PriceQuote',
      lines: [
        {
          ...{ kind: 'RATE', label: 'Base rate', quantity: 2 },
          ...{ unitPrice: won(30_000), amount: won(60_000) },
        },
      ],
      total: won(60_000),
      vat: won(5_455),
      refundSchedule: [
        { until: daysBefore(7), percent: 100, refund: won(60_000) },
        { until: daysBefore(1), percent: 50, refund: won(30_000) },
        { until: null, percent: 0, refund: won(0) },
      ],
    });
    const customer = await newCustomer(system);
    const { booking } = await customer.request(id, { slot });
    expect(booking.price).toEqual(quoted.total);
    // What is booked has its price still: a quote does not look at what is free.
    expect((await quote(id, { slot })).total).toEqual(quoted.total);
  });

  test('a quote of what cannot be booked names the field and the rule', async () => {
    const { id } = await listSpace(system, { capacity: 3 });
    const { startAt, endAt } = nextSlot();
    const late = startAt.replace(':00:00.000Z', ':10:00Z');
    expect(await quote(id, { slot: { startAt: late, endAt } })).toMatchObject({
      __typename: 'InvalidBookingRequest',
      field: 'slot.startAt',
      message: expect.stringContaining('every 30 min from midnight'),
    });
    const slot = { startAt, endAt };
    expect(await quote(id, { slot, headcount: 4 })).toMatchObject({ field: 'headcount' });
    const addOns = [{ addOnId: randomUUID() }];
    expect(await quote(id, { slot, addOns })).toMatchObject({ field: 'addOns[0].addOnId' });
  });

  test('holidays are public, and of a country and a year that exist', async () => {
    const { data } = await system.graphql(null, HOLIDAYS, { country: 'KR', year: 2027 });
    expect(data.holidays[0]).toEqual({ date: '2027-01-01', name: '1월 1일' });
    expect(data.holidays).toContainEqual({ date: '2027-02-09', name: '설날 대체공휴일' });
    const { errors } = await system.graphql(null, HOLIDAYS, { country: 'KR', year: 27 });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'year' });
  });

  test('holidays are set by operators alone, and everybody sees them', async () => {
    const year = new Date().getUTCFullYear() + 10;
    const input = {
      country: 'AQ',
      date: `${year}-06-21`,
      name: `Day ${randomUUID()}`,
      isHoliday: true,
    };
    const customer = await newCustomer(system);
    const refused = await customer.graphql(SET_HOLIDAY, { input });
    expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');

    const operator = await system.token(`operator-${randomUUID()}`, 'operator');
    const { data } = await system.graphql(operator, SET_HOLIDAY, { input });
    const holiday = { date: input.date, name: input.name };
    expect(data.setHoliday).toEqual({ __typename: 'SetHolidaySuccess', holidays: [holiday] });
    const seen = await system.graphql(null, HOLIDAYS, { country: 'AQ', year });
    expect(seen.data.holidays).toEqual([holiday]);

    const unnamed = await system.graphql(operator, SET_HOLIDAY, { input: { ...input, name: ' ' } });
    expect(unnamed.data.setHoliday).toMatchObject({ __typename: 'InvalidHoliday', field: 'name' });
  });
});
