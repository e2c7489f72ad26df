import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type PaymentPorts, ProviderUnavailable } from '../src/ports.ts';
import { aChange, aCharge, changedBookings } from './a-change.ts';
import { finishRefunds, giveBack, paidBookings, withProvider } from './a-goodwill.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

const { aPaid, findPayment, away } = paidBookings(() => context);
const { charge, aCharged, release, giveBackFor, findChange } = changedBookings(() => context);
const sums = ({ bookingId }: { bookingId: string }) => context.chargedAndRefunded(bookingId);

describe('a change that costs less', () => {
  test('a lower price is refunded once, although its event comes twice', async () => {
    const booking = await aPaid();
    const event = aChange(booking, -20_000);
    await giveBackFor(event);
    await giveBackFor(event);
    await giveBackFor({ ...event, eventId: uuidv7() });
    expect((await findPayment(booking)).state).toMatchObject({
      ...{ status: 'PARTIALLY_REFUNDED', amount: 60_000, refunded: 20_000, version: 3 },
      ...{ refundedForChanges: 20_000, goodwill: 0 },
    });
    expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 20_000 });
    expect(await context.publishedTypes(booking.bookingId)).toEqual([
      ...['PaymentApproved', 'PaymentAdjusted'],
    ]);
    expect(await findChange(event)).toMatchObject({ completed: true, refundAmount: 20_000 });
  });

  test('ten concurrent deliveries of an event refund once', async () => {
    const booking = await aPaid();
    const event = aChange(booking, -20_000);
    await Promise.all(Array.from({ length: 10 }, () => giveBackFor(event)));
    await finishRefunds(context);
    expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 20_000 });
  });

  test.each([0, 10_000])('a difference of %d refunds nothing', async (difference) => {
    const booking = await aPaid();
    const event = aChange(booking, difference);
    await giveBackFor(event);
    expect((await findPayment(booking)).state.version).toBe(2);
    const rows = await context.query('SELECT FROM inbox WHERE event_id = $1', [event.eventId]);
    expect(rows).toHaveLength(1);
  });

  test('a refund without a response is made by a later run, under its own key', async () => {
    const booking = await aPaid();
    const event = aChange(booking, -20_000);
    const keys: string[] = [];
    const silent = withProvider(ports, {
      async refund(account, refundKey, amount) {
        keys.push(refundKey);
        await ports.provider.refund(account, refundKey, amount);
        throw new ProviderUnavailable('no response');
      },
    });
    await giveBackFor(event, silent);
    expect(await findChange(event)).toMatchObject({ isDue: true, completed: false });
    await finishRefunds(context);
    expect(keys).toEqual([`refund-of-change-${event.changeId}`]);
    expect((await findPayment(booking)).state.refundedForChanges).toBe(20_000);
    expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 20_000 });
  });

  test('a lower price gives back no more than goodwill refunds leave, and the reverse', async () => {
    const booking = await aPaid();
    await giveBack(ports, booking, 50_000);
    const event = aChange(booking, -20_000);
    await giveBackFor(event);
    expect(await findChange(event)).toMatchObject({ refundAmount: 10_000, completed: true });
    const nothingLeft = aChange(booking, -20_000);
    await giveBackFor(nothingLeft);
    expect(await findChange(nothingLeft)).toMatchObject({ refundAmount: 0, completed: true });
    expect((await findPayment(booking)).state).toMatchObject({
      ...{ status: 'REFUNDED', refunded: 60_000, goodwill: 50_000, refundedForChanges: 10_000 },
    });

    const other = await aPaid();
    await giveBackFor(aChange(other, -50_000), away());
    expect(await giveBack(ports, other, 10_001)).toMatchObject({
      message: 'Of this charge 10000 KRW is left: refund at most that.',
    });
    await giveBack(ports, other, 10_000);
    await finishRefunds(context);
    expect((await findPayment(other)).state).toMatchObject({ status: 'REFUNDED' });
    expect(await sums(other)).toEqual({ charged: 60_000, refunded: 60_000 });
  });

  test('an event of a booking without a payment is not lost', async () => {
    const event = aChange(aRequest(), -20_000);
    await expect(giveBackFor(event)).rejects.toThrow('has no payment');
    await expect(release(aCharge(aRequest(), 1))).rejects.toThrow('has no payment');
    const rows = await context.query('SELECT FROM inbox WHERE event_id = $1', [event.eventId]);
    expect(rows).toEqual([]);
  });
});

describe('a change that is released', () => {
  test('a change that is released before its charge is requested is charged nothing', async () => {
    const booking = await aPaid();
    const request = aCharge(booking, 15_000);
    await release(request);
    expect(await charge(request)).toBe('VOIDED');
    expect(await findChange(request)).toMatchObject({ chargeStatus: 'VOIDED', completed: true });
    expect((await findPayment(booking)).state.version).toBe(2);
    expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 0 });
  });

  test('a change that is released after its charge is refunded in full, once', async () => {
    const booking = await aPaid();
    const request = await aCharged(booking, 15_000);
    const eventId = uuidv7();
    await release(request, ports, eventId);
    await release(request, ports, eventId);
    await release(request);
    expect((await findPayment(booking)).state).toMatchObject({
      ...{ amount: 75_000, refunded: 15_000, refundedForChanges: 15_000, version: 4 },
      status: 'PARTIALLY_REFUNDED',
    });
    expect(await sums(booking)).toEqual({ charged: 75_000, refunded: 15_000 });
    expect(await charge(request)).toBe('APPROVED');
  });

  test('a change whose charge was made without a response is found and refunded in full', async () => {
    const booking = await aPaid();
    const request = aCharge(booking, 15_000);
    const silent = withProvider(ports, {
      async charge(asked) {
        await ports.provider.charge(asked);
        throw new ProviderUnavailable('no response');
      },
    });
    expect(await charge(request, silent)).toBe('PENDING');
    await release(request);
    expect((await findPayment(booking)).state).toMatchObject({
      ...{ amount: 75_000, refunded: 15_000, refundedForChanges: 15_000 },
    });
    expect(await sums(booking)).toEqual({ charged: 75_000, refunded: 15_000 });
    expect(await context.publishedTypes(booking.bookingId)).toEqual([
      ...['PaymentApproved', 'PaymentAdjusted', 'PaymentAdjusted'],
    ]);
  });

  test('a change whose charge is lost is voided at the provider, and never charged', async () => {
    const booking = await aPaid();
    const request = aCharge(booking, 15_000);
    const lost = withProvider(ports, {
      charge: () => Promise.reject(new ProviderUnavailable('no response')),
    });
    expect(await charge(request, lost)).toBe('PENDING');
    await release(request, withProvider(ports, { void: () => Promise.reject(new Error('away')) }));
    expect(await findChange(request)).toMatchObject({ chargeStatus: 'PENDING', isDue: true });
    expect(await charge(request)).toBe('PENDING');
    await finishRefunds(context);
    expect(await findChange(request)).toMatchObject({ chargeStatus: 'VOIDED', completed: true });
    expect(await charge(request)).toBe('VOIDED');
    expect(await ports.provider.find(request.changeId)).toMatchObject({ outcome: 'declined' });
    expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 0 });
  });

  test('a charge that is approved while its release waits to be attempted is owed back', async () => {
    const booking = await aPaid();
    const request = aCharge(booking, 15_000);
    let approve = () => {};
    const held = new Promise<void>((resolve) => {
      approve = resolve;
    });
    const slow = withProvider(ports, {
      async charge(asked) {
        await held;
        return ports.provider.charge(asked);
      },
    });
    const charging = charge(request, slow);
    while (!(await ports.changes.find(request.changeId))) await new Promise(setImmediate);
    await release(request, withProvider(ports, { void: () => Promise.reject(new Error('away')) }));
    approve();
    expect(await charging).toBe('APPROVED');
    expect(await findChange(request)).toMatchObject({ refundAmount: 15_000, isDue: true });
    await finishRefunds(context);
    expect(await sums(booking)).toEqual({ charged: 75_000, refunded: 15_000 });
    expect((await findPayment(booking)).state.refundedForChanges).toBe(15_000);
  });

  test('a charge and its release at the same time leave the customer where they were', async () => {
    for (let round = 0; round < 30; round += 1) {
      const booking = await aPaid();
      const request = aCharge(booking, 15_000);
      const steps = [() => charge(request), () => release(request), () => charge(request)];
      if (round % 2) steps.reverse();
      if (round % 3 === 0) steps.push(() => release(request));
      await Promise.all(steps.map((step) => step()));
      await finishRefunds(context);
      const after = await sums(booking);
      expect(Number(after?.charged) - Number(after?.refunded)).toBe(60_000);
      const { amount, refunded } = (await findPayment(booking)).state;
      expect({ charged: amount, refunded }).toEqual(after);
      expect(await findChange(request)).toMatchObject({ completed: true, isDue: false });
    }
  });

  test('a released charge gives back no more than goodwill refunds left of it', async () => {
    const booking = await aPaid();
    const request = await aCharged(booking, 15_000);
    await giveBack(ports, booking, 70_000);
    await release(request);
    expect(await findChange(request)).toMatchObject({ refundAmount: 5_000, completed: true });
    expect(await sums(booking)).toEqual({ charged: 75_000, refunded: 75_000 });
  });
});
