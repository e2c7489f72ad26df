import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot, readProviderLedger } from '../support/customer.ts';
import { describeRouters } from '../support/system.ts';

const QUOTE = `lines { kind label quantity unitPrice { amount currency } amount { amount } }
  total { amount currency } vat { amount } refundSchedule { until percent refund { amount } }`;
const PRICE = `query ($id: ID!, $slot: TimeSlotInput!, $headcount: Int!, $addOns: [AddOnSelectionInput!]) {
  space(id: $id) { addOns { id name }
    priceQuote(slot: $slot, headcount: $headcount, addOns: $addOns) {
      __typename ... on PriceQuote { ${QUOTE} } ... on InvalidBookingRequest { field message } } } }`;
const REQUEST = `mutation ($input: RequestBookingInput!) { requestBooking(input: $input) {
  __typename
  ... on RequestBookingSuccess { booking { id price { amount } vat { amount }
    priceLines { kind label quantity amount { amount } }
    refundSchedule { until percent refund { amount } } } }
  ... on PriceChanged { quote { ${QUOTE} } }
  ... on InvalidBookingRequest { field }
  ... on Problem { message } } }`;

describeRouters('a price', (system) => {
  const listing = {
    capacity: 10,
    hourlyRate: 20_000,
    includedHeadcount: 4,
    extraPersonHourlyRate: 2_000,
    priceRules: [{ name: 'Night', from: '18:00', to: '24:00', hourlyRate: 30_000 }],
    addOns: [
      { name: 'Projector', unit: 'PER_BOOKING', price: 15_000, maxQuantity: 2 },
      { name: 'Coffee', unit: 'PER_PERSON', price: 3_000 },
    ],
  };
  // From 17:00 to 20:00 in Seoul, which is UTC+9.
  const evening = () => {
    const midnight = Date.parse(`${nextSlot().startAt.slice(0, 10)}T00:00:00Z`);
    const startAt = new Date(midnight + 8 * 3_600_000).toISOString();
    return { startAt, endAt: new Date(midnight + 11 * 3_600_000).toISOString() };
  };

  test('what was quoted is charged line by line, frozen in the booking, and refunded by the schedule shown', async () => {
    const space = await listSpace(system, listing);
    const kim = await newCustomer(system);
    const slot = evening();
    const read = async (addOns: object[]) =>
      (await kim.graphql(PRICE, { id: space.id, slot, headcount: 6, addOns })).data.space;
    const [projector, coffee] = (await read([])).addOns;
    const addOns = [
      { addOnId: projector.id, quantity: 2 },
      { addOnId: coffee.id, quantity: 1 },
    ];
    const quote = (await read(addOns)).priceQuote;
    expect(quote.lines.map((line: { amount: { amount: number } }) => line.amount.amount)).toEqual([
      20_000, 60_000, 12_000, 30_000, 18_000,
    ]);
    expect(quote.total).toEqual({ amount: 140_000, currency: 'KRW' });
    expect(quote.vat.amount).toBe(12_727);

    const input = {
      ...{ spaceId: space.id, slot, headcount: 6, addOns, paymentMethod: 'pm_ok' },
      idempotencyKey: randomUUID(),
      expectedTotal: 140_000,
    };
    const { booking } = (await kim.graphql(REQUEST, { input })).data.requestBooking;
    expect(booking).toMatchObject({ price: { amount: 140_000 }, vat: { amount: 12_727 } });
    expect(booking.priceLines).toHaveLength(5);
    expect(booking.refundSchedule).toEqual(quote.refundSchedule);
    expect((await readProviderLedger(system, booking.id)).charged).toBe(140_000);
    expect((await kim.cancel(booking.id)).refund.amount).toBe(140_000);
  });

  test('a price that the customer was not shown is refused with the present quote, and books nothing', async () => {
    const space = await listSpace(system, listing);
    const kim = await newCustomer(system);
    const slot = evening();
    const input = {
      ...{ spaceId: space.id, slot, paymentMethod: 'pm_ok', idempotencyKey: randomUUID() },
      expectedTotal: 60_000,
    };
    const refused = (await kim.graphql(REQUEST, { input })).data.requestBooking;
    expect(refused).toMatchObject({
      __typename: 'PriceChanged',
      quote: { total: { amount: 80_000 } },
    });
    const again = { ...input, expectedTotal: 80_000 };
    const { booking } = (await kim.graphql(REQUEST, { input: again })).data.requestBooking;
    expect(booking.price.amount).toBe(80_000);
    const repeated = (await kim.graphql(REQUEST, { input: again })).data.requestBooking;
    expect(repeated.booking.id).toBe(booking.id);
    const other = (await kim.graphql(REQUEST, { input })).data.requestBooking;
    expect(other.__typename).toBe('IdempotencyKeyReused');
  });

  test.each([
    ['a headcount above the capacity', { headcount: 11 }, 'headcount'],
    ['an unknown add-on', { addOns: [{ addOnId: randomUUID() }] }, 'addOns[0].addOnId'],
    ['a slot in the past', { slot: nextSlot(-800) }, 'slot.startAt'],
    [
      'a slot off the grid',
      { slot: { ...nextSlot(), endAt: '2099-01-01T00:00:01Z' } },
      'slot.endAt',
    ],
  ])('a quote and a request for %s name the same field', async (_name, wrong, field) => {
    const space = await listSpace(system, listing);
    const kim = await newCustomer(system);
    const use = { slot: nextSlot(), headcount: 1, addOns: [], ...wrong };
    const { data } = await kim.graphql(PRICE, { id: space.id, ...use });
    expect(data.space.priceQuote).toMatchObject({ __typename: 'InvalidBookingRequest', field });
    const input = {
      ...{ spaceId: space.id, paymentMethod: 'pm_ok', idempotencyKey: randomUUID() },
      ...use,
    };
    expect((await kim.graphql(REQUEST, { input })).data.requestBooking.field).toBe(field);
  });
});
