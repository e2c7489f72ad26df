import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot, readProviderLedger } from '../support/customer.ts';
import { describeRouters, eventually, until } from '../support/system.ts';

const CHANGE = `id state from { startAt endAt } to { startAt endAt }
  difference { amount currency } requestedAt settledAt`;
const BOOKING = `id status headcount slot { startAt endAt } price { amount }
  refundQuote { amount } changes { ${CHANGE} }`;
const QUOTE = `query ($id: ID!, $slot: TimeSlotInput!, $headcount: Int) { booking(id: $id) {
  rescheduleQuote(slot: $slot, headcount: $headcount) {
    __typename
    ... on RescheduleQuote { difference { amount currency } quote { total { amount } lines { label } } }
    ... on InvalidBookingRequest { field }
    ... on Problem { message } } } }`;
const RESCHEDULE = `mutation ($input: RescheduleBookingInput!) { rescheduleBooking(input: $input) {
  __typename
  ... on RescheduleBookingSuccess { booking { ${BOOKING} } change { ${CHANGE} } }
  ... on PaymentDeclined { booking { ${BOOKING} } }
  ... on PriceChanged { quote { total { amount } } }
  ... on SlotUnavailable { alternatives { startAt endAt } }
  ... on BookingNotReschedulable { status }
  ... on InvalidBookingRequest { field }
  ... on Problem { message } } }`;

describeRouters('rescheduling', (system) => {
  async function booked(request: object = {}, listing: object = {}) {
    const space = await listSpace(system, {
      refundTiers: [{ daysBefore: 1, percent: 50 }],
      ...{ includedHeadcount: 2, extraPersonHourlyRate: 1_000 },
      ...listing,
    });
    const kim = await newCustomer(system);
    const slot = nextSlot(30, 2);
    const { booking } = await kim.request(space.id, { slot, ...request });
    const id: string = booking.id;
    return {
      ...{ space, kim, slot, id },
      async quote(input: object) {
        const { data, errors } = await kim.graphql(QUOTE, { id, ...input });
        if (errors) throw new Error(JSON.stringify(errors));
        return data.booking.rescheduleQuote;
      },
      async reschedule(input: object, token = kim.token) {
        const { data, errors } = await system.graphql(token, RESCHEDULE, {
          input: { bookingId: id, idempotencyKey: randomUUID(), expectedDifference: 0, ...input },
        });
        if (errors) throw new Error(JSON.stringify(errors));
        return data.rescheduleBooking;
      },
      async read() {
        const query = `query ($id: ID!) { booking(id: $id) { ${BOOKING}
          payment { status amount { amount } refunded { amount } } registration { status } } }`;
        return (await kim.graphql(query, { id })).data.booking;
      },
    };
  }

  test('a dearer slot costs the difference that was quoted, and everybody sees the new slot', async () => {
    const { space, kim, slot, id, quote, reschedule, read } = await booked();
    const later = nextSlot(40, 3);
    const quoted = await quote({ slot: later });
    expect(quoted).toMatchObject({
      difference: { amount: 20_000, currency: 'KRW' },
      quote: { total: { amount: 60_000 } },
    });
    const input = { slot: later, expectedDifference: 20_000, idempotencyKey: randomUUID() };
    const changed = await reschedule(input);
    expect(changed).toMatchObject({
      __typename: 'RescheduleBookingSuccess',
      booking: { status: 'REGISTERED', slot: later, price: { amount: 60_000 } },
      change: { state: 'APPLIED', from: slot, to: later, settledAt: expect.any(String) },
    });
    expect((await reschedule(input)).change.id).toBe(changed.change.id);
    expect((await reschedule({ ...input, headcount: 2 })).__typename).toBe('IdempotencyKeyReused');

    await kim.waitForView(id, { slot: later, price: { amount: 60_000 }, status: 'REGISTERED' });
    const { timeline } = await kim.view(id);
    expect(timeline.map((each: { status: string }) => each.status)).toEqual([
      'REQUESTED',
      'PAID',
      'REGISTERED',
    ]);
    expect(await read()).toMatchObject({
      payment: { status: 'APPROVED', amount: { amount: 60_000 }, refunded: { amount: 0 } },
      changes: [{ id: changed.change.id }],
    });
    const ledger = await readProviderLedger(system, id);
    expect(ledger).toMatchObject({ charged: 60_000, refunded: 0 });

    // The old slot is free again once space has moved the registration.
    const lee = await newCustomer(system);
    const taken = await until('the old slot is free', async () => {
      const response = await lee.request(space.id, { slot });
      return response.__typename === 'RequestBookingSuccess' && response.booking;
    });
    await lee.waitForStatus(taken.id, 'REGISTERED');
  });

  test('a cheaper slot refunds the difference, and a cancellation refunds by the new price', async () => {
    const { kim, id, slot, reschedule, read } = await booked();
    const shorter = { startAt: slot.startAt, endAt: new Date(Date.parse(slot.endAt) - 3_600_000) };
    const changed = await reschedule({ slot: shorter, expectedDifference: -20_000 });
    expect(changed).toMatchObject({
      booking: { price: { amount: 20_000 }, refundQuote: { amount: 10_000 } },
      change: { difference: { amount: -20_000 } },
    });
    await kim.waitForView(id, {
      paymentStatus: 'PARTIALLY_REFUNDED',
      refunded: { amount: 20_000, currency: 'KRW' },
    });
    expect(await kim.cancel(id)).toMatchObject({ refund: { amount: 10_000 } });
    await kim.waitForView(id, { status: 'CANCELLED', refunded: { amount: 30_000 } });
    expect((await read()).payment).toEqual({
      status: 'PARTIALLY_REFUNDED',
      amount: { amount: 40_000 },
      refunded: { amount: 30_000 },
    });
    expect(await readProviderLedger(system, id)).toMatchObject({
      charged: 40_000,
      refunded: 30_000,
    });
  });

  test('after a dearer change a host who cancels refunds both charges', async () => {
    const { space, kim, id, reschedule } = await booked();
    await reschedule({ slot: nextSlot(40, 3), expectedDifference: 20_000 });
    const cancelled = await system.graphql(
      space.token,
      'mutation ($id: ID!) { cancelBooking(input: { bookingId: $id }) { ... on CancelBookingSuccess { refund { amount } } } }',
      { id },
    );
    expect(cancelled.data.cancelBooking.refund.amount).toBe(60_000);
    await kim.waitForView(id, { status: 'CANCELLED', paymentStatus: 'REFUNDED' });
    expect(await readProviderLedger(system, id)).toMatchObject({
      charged: 60_000,
      refunded: 60_000,
    });
  });

  test('a difference that is declined leaves everything as it was', async () => {
    const { id, slot, reschedule, read } = await booked({ paymentMethod: 'pm_declined_later' });
    const declined = await reschedule({ slot: nextSlot(40, 3), expectedDifference: 20_000 });
    expect(declined).toMatchObject({
      __typename: 'PaymentDeclined',
      booking: { status: 'REGISTERED', slot, price: { amount: 40_000 } },
    });
    expect(await read()).toMatchObject({ slot, changes: [{ state: 'DECLINED' }] });
    expect(await readProviderLedger(system, id)).toMatchObject({ charged: 40_000, refunded: 0 });
  });

  test('a difference whose payment is unknown is paid later by itself', async () => {
    const { kim, id, reschedule, read } = await booked({ paymentMethod: 'pm_busy' });
    await kim.waitForStatus(id, 'REGISTERED', 30);
    const later = nextSlot(40, 3);
    const changed = await reschedule({ slot: later, expectedDifference: 20_000 });
    expect(changed.change.state).toBe('PENDING');
    await eventually(async () => {
      expect(await read()).toMatchObject({ slot: later, changes: [{ state: 'APPLIED' }] });
    }, 30);
    await kim.waitForView(id, { slot: later });
    expect(await readProviderLedger(system, id)).toMatchObject({ charged: 60_000 });
  });

  test('the headcount alone can change, and what is shown to be wrong is refused with what is right', async () => {
    const { slot, quote, reschedule } = await booked({ headcount: 2 });
    expect(await quote({ slot, headcount: 5 })).toMatchObject({ difference: { amount: 6_000 } });
    expect(await reschedule({ headcount: 5, expectedDifference: 1 })).toMatchObject({
      __typename: 'PriceChanged',
      quote: { total: { amount: 46_000 } },
    });
    expect(await quote({ slot, headcount: 11 })).toMatchObject({ field: 'headcount' });
    expect(await quote({ slot })).toMatchObject({ field: 'slot' });
    const changed = await reschedule({ headcount: 5, expectedDifference: 6_000 });
    expect(changed.booking).toMatchObject({ headcount: 5, slot, price: { amount: 46_000 } });
  });

  test('only the customer of the booking changes it, and only to a free slot', async () => {
    const { space, slot, reschedule } = await booked();
    const lee = await newCustomer(system);
    const occupied = nextSlot(40, 2);
    expect((await lee.request(space.id, { slot: occupied })).booking.status).toBe('PAID');
    expect(await reschedule({ slot: occupied })).toMatchObject({
      __typename: 'SlotUnavailable',
      alternatives: expect.any(Array),
    });
    for (const token of [lee.token, space.token]) {
      const refused = await reschedule({ slot: nextSlot(40, 2) }, token);
      expect(refused.__typename).toBe('BookingNotFound');
    }
    expect((await reschedule({ slot })).__typename).toBe('InvalidBookingRequest');
  });

  test('the host page shows the new slot', async () => {
    const { space, id, kim, reschedule } = await booked();
    await kim.waitForStatus(id, 'REGISTERED');
    const later = nextSlot(40, 2);
    await reschedule({ slot: later });
    const query = `{ hostPage { bookings { edges { node { bookingId slot { startAt endAt } } } } } }`;
    await eventually(async () => {
      const { data } = await system.graphql(space.token, query);
      expect(data.hostPage.bookings.edges).toMatchObject([
        { node: { bookingId: id, slot: later } },
      ]);
    });
  });
});
