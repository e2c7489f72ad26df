import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type BookingPayload, bookingEvents, changeEvents } from '#contracts/book.ts';
import type { Consumer } from '#platform/messaging/consumer.ts';
import { consumeEvents } from '../src/adapters/event-consumers.ts';
import { resolvers } from '../src/adapters/resolvers.ts';
import type { PaymentRequest } from '../src/domain/payment.ts';
import type { PaymentPorts } from '../src/ports.ts';
import { aCharge } from './a-change.ts';
import { paidBookings } from './a-goodwill.ts';
import { openPaymentContext, type PaymentContext } from './payment-context.ts';

type Handler = (event: object) => Promise<void>;

let context: PaymentContext;
let ports: PaymentPorts;
const handlers: Record<string, Handler> = {};

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
  const consumer = {
    subscribe: async (_: object, each: object) => void Object.assign(handlers, each),
  };
  await consumeEvents(consumer as unknown as Consumer, ports);
});
afterAll(() => context?.close());

const { aPaid, findPayment } = paidBookings(() => context);

/** Passes an event to its handler, as it is after JSON and its contract. */
async function deliver(type: 'BookingRescheduled' | 'BookingChangeReleased', payload: object) {
  const contract = { ...bookingEvents, ...changeEvents }[type];
  const parsed = contract.payload.parse(JSON.parse(JSON.stringify(payload)));
  const id = uuidv7();
  await handlers[type]?.({ id, type, version: 5, occurredAt: new Date(), payload: parsed });
  const inbox = await context.query('SELECT FROM inbox WHERE event_id = $1', [id]);
  expect(inbox).toHaveLength(1);
}
function aRescheduled(booking: PaymentRequest, change?: BookingPayload['change']): BookingPayload {
  const { bookingId, customerId, spaceId, slot, currency } = booking;
  return {
    ...{ bookingId, customerId, spaceId, slot, spaceName: 'Seoul Loft', status: 'REGISTERED' },
    price: { amount: 40_000, currency },
    refund: { amount: 0, currency },
    ...(change && { change }),
  };
}

describe('the events of changes', () => {
  test('a rescheduled booking that costs less is refunded the difference', async () => {
    const booking = await aPaid();
    await deliver(
      'BookingRescheduled',
      aRescheduled(booking, { changeId: uuidv7(), difference: -20_000 }),
    );
    expect((await findPayment(booking)).state).toMatchObject({ refundedForChanges: 20_000 });
  });

  test.each([
    undefined,
    { changeId: uuidv7(), difference: 0 },
    { changeId: uuidv7(), difference: 1 },
  ])('a rescheduled booking whose change is %j leaves the payment as it was', async (change) => {
    const booking = await aPaid();
    await deliver('BookingRescheduled', aRescheduled(booking, change));
    expect((await findPayment(booking)).state.version).toBe(2);
  });

  test('a released change is charged nothing afterwards', async () => {
    const booking = await aPaid();
    const { changeId, bookingId, amount } = aCharge(booking, 10_000);
    await deliver('BookingChangeReleased', { changeId, bookingId, difference: amount });
    const { Mutation, Query } = resolvers(ports);
    const input = { changeId, bookingId, amount };
    expect(await Mutation.chargeChange(null, { input })).toEqual({ status: 'DECLINED' });
    expect(await Query.changeOutcome(null, { changeId })).toEqual({ status: 'DECLINED' });
  });
});

describe('the API for book', () => {
  test('a charge of a change is approved, and shows in the booking’s payment', async () => {
    const booking = await aPaid();
    const input = aCharge(booking, 10_000);
    const { Mutation, Query, Payment } = resolvers(ports);
    expect(await Query.changeOutcome(null, input)).toBeNull();
    expect(await Mutation.chargeChange(null, { input })).toEqual({ status: 'APPROVED' });
    expect(await Query.changeOutcome(null, input)).toEqual({ status: 'APPROVED' });
    expect(Payment.amount(await findPayment(booking))).toEqual({ amount: 70_000, currency: 'KRW' });
  });

  test('a charge that takes too long is pending, and is made all the same', async () => {
    const booking = await aPaid();
    const input = aCharge(booking, 10_000);
    const background: PaymentPorts['background'] = {
      within: (work) => work.then(() => 'undecided' as const),
    };
    const { Mutation } = resolvers({ ...ports, background });
    expect(await Mutation.chargeChange(null, { input })).toEqual({ status: 'PENDING' });
    expect((await findPayment(booking)).state.amount).toBe(70_000);
  });
});
