import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { postgresChangeStore } from '../src/adapters/postgres-change-store.ts';
import { leaseMs } from '../src/adapters/prisma-payment-store.ts';
import { approvePayment } from '../src/application/approve-payment.ts';
import { changeOutcome, chargeChange } from '../src/application/charge-change.ts';
import type { PaymentPorts } from '../src/ports.ts';
import { aCharge, changedBookings } from './a-change.ts';
import { giveBack, paidBookings, withProvider } from './a-goodwill.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

const { aPaid, cancel, findPayment, findEvents } = paidBookings(() => context);
const { charge, release, findChange } = changedBookings(() => context);

/** The same database and provider, as another process has them. */
const otherProcess = (): PaymentPorts => ({
  ...ports,
  changes: postgresChangeStore(context.pool, { publish: () => {} }, leaseMs(40)),
  changesInProgress: new Map(),
});

describe('the charge of a change', () => {
  test('a charge adds to the payment, and is published as an adjustment', async () => {
    const booking = await aPaid();
    const request = aCharge(booking, 15_000);
    expect(await charge(request)).toBe('APPROVED');
    expect((await findPayment(booking)).state).toMatchObject({
      ...{ amount: 75_000, status: 'APPROVED', refunded: 0, refundedForChanges: 0, version: 3 },
    });
    expect(await context.chargedAndRefunded(booking.bookingId)).toEqual({
      charged: 75_000,
      refunded: 0,
    });
    expect(await context.publishedTypes(booking.bookingId)).toEqual([
      ...['PaymentApproved', 'PaymentAdjusted'],
    ]);
    expect(await findChange(request)).toMatchObject({ chargeStatus: 'APPROVED', isDue: false });
    expect(context.published.at(-1)).toMatchObject({
      type: 'PaymentAdjusted',
      payload: { amount: 75_000, refundedForChanges: 0 },
    });
  });

  test('a payment that was given back in part stays so, and one that was given back whole is no longer', async () => {
    const booking = await aPaid();
    await giveBack(ports, booking, 60_000);
    expect((await findPayment(booking)).state.status).toBe('REFUNDED');
    await charge(aCharge(booking, 1));
    expect((await findPayment(booking)).state).toMatchObject({
      ...{ amount: 60_001, status: 'PARTIALLY_REFUNDED', refunded: 60_000, goodwill: 60_000 },
    });
  });

  test('ten concurrent requests of two processes charge a change once', async () => {
    const other = otherProcess();
    for (let round = 0; round < 10; round += 1) {
      const booking = await aPaid();
      const request = aCharge(booking, 15_000);
      let calls = 0;
      const counting = (by: PaymentPorts) =>
        withProvider(by, {
          charge(asked) {
            calls += 1;
            return ports.provider.charge(asked);
          },
        });
      const processes = [counting(ports), counting(other)] as const;
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          chargeChange(processes[index % 2] as PaymentPorts, request),
        ),
      );
      expect(calls).toBe(1);
      expect(await charge(request)).toBe('APPROVED');
      expect((await findPayment(booking)).state).toMatchObject({ amount: 75_000, version: 3 });
      expect(await context.chargedAndRefunded(booking.bookingId)).toMatchObject({
        charged: 75_000,
      });
    }
  });

  test('ten concurrent changes of one booking are all charged', async () => {
    const booking = await aPaid();
    const requests = Array.from({ length: 10 }, () => aCharge(booking, 1_000));
    const results = await Promise.all(requests.map((request) => charge(request)));
    expect(new Set(results)).toEqual(new Set(['APPROVED']));
    expect((await findPayment(booking)).state).toMatchObject({ amount: 70_000, version: 12 });
  });

  test('a charge without a response is pending, and found when its outcome is asked for', async () => {
    const booking = await aPaid({ paymentMethod: 'pm_ok' });
    await context.query(
      "UPDATE sandbox_charge SET payment_method = 'pm_timeout_paid' WHERE key = $1",
      [booking.bookingId],
    );
    const request = aCharge(booking, 15_000);
    expect(await charge(request)).toBe('PENDING');
    expect((await findPayment(booking)).state.amount).toBe(60_000);
    expect(await changeOutcome(ports, request.changeId)).toBe('APPROVED');
    expect((await findPayment(booking)).state.amount).toBe(75_000);
    expect(await charge(request)).toBe('APPROVED');
    expect(await context.chargedAndRefunded(booking.bookingId)).toMatchObject({ charged: 75_000 });
  });

  test('a charge that was lost on its way is pending until it is requested again', async () => {
    const booking = aRequest({ paymentMethod: 'pm_timeout_unpaid' });
    await approvePayment(ports, booking);
    await approvePayment(ports, booking);
    const request = aCharge(booking, 15_000);
    expect(await charge(request)).toBe('PENDING');
    expect(await changeOutcome(ports, request.changeId)).toBe('PENDING');
    expect(await charge(request)).toBe('APPROVED');
    expect(await context.chargedAndRefunded(booking.bookingId)).toMatchObject({ charged: 75_000 });
  });

  test('a charge by a busy provider is pending twice, and then approved', async () => {
    const booking = aRequest({ paymentMethod: 'pm_busy' });
    for (let attempt = 0; attempt < 3; attempt += 1) await approvePayment(ports, booking);
    const request = aCharge(booking, 15_000);
    expect(await charge(request)).toBe('PENDING');
    expect(await charge(request)).toBe('PENDING');
    expect(await charge(request)).toBe('APPROVED');
  });

  test('a method that declines later charges leaves the payment as it was', async () => {
    const booking = await aPaid({ paymentMethod: 'pm_declined_later' });
    const request = aCharge(booking, 15_000);
    expect(await charge(request)).toBe('DECLINED');
    expect(await charge(request)).toBe('DECLINED');
    expect(await changeOutcome(ports, request.changeId)).toBe('DECLINED');
    expect((await findPayment(booking)).state).toMatchObject({ amount: 60_000, version: 2 });
    expect(await findEvents(booking)).toHaveLength(1);
  });

  test('a charge by the rows of release 0.2.0 uses a method that approves', async () => {
    const booking = await aPaid();
    await context.query(
      'UPDATE sandbox_charge SET account = NULL, payment_method = NULL WHERE key = $1',
      [booking.bookingId],
    );
    expect(await charge(aCharge(booking, 15_000))).toBe('APPROVED');
    await ports.provider.refund(booking.bookingId, uuidv7(), 75_000);
    await expect(ports.provider.refund(booking.bookingId, uuidv7(), 1)).rejects.toThrow('left');
  });

  test.each(['DECLINED', 'VOIDED', 'PENDING', 'none'])(
    'a booking whose payment is %s is declined, and charged nothing',
    async (status) => {
      const booking = aRequest({
        paymentMethod: status === 'DECLINED' ? 'pm_declined' : 'pm_timeout_unpaid',
      });
      if (status === 'VOIDED') await cancel(booking, 0);
      else if (status !== 'none') await approvePayment(ports, booking);
      const request = aCharge(booking, 15_000);
      expect(await charge(request)).toBe('DECLINED');
      expect(await charge(request)).toBe('DECLINED');
      expect(await context.chargedAndRefunded(booking.bookingId)).toMatchObject({ charged: 0 });
    },
  );

  test('a booking that was cancelled is declined, and charged nothing', async () => {
    const booking = await aPaid();
    await cancel(booking, 0);
    expect(await charge(aCharge(booking, 15_000))).toBe('DECLINED');
    expect((await findPayment(booking)).state.amount).toBe(60_000);
  });

  test('a change that is not known has no outcome', async () => {
    expect(await changeOutcome(ports, uuidv7())).toBeNull();
  });

  test('a charge is leased to one of many processes, and to none once the change is released', async () => {
    const booking = await aPaid();
    const request = aCharge(booking, 15_000);
    const created = await ports.changes.create(request);
    expect(created).toMatchObject({ isNew: true, change: { chargeStatus: 'PENDING' } });
    const claim = () => ports.changes.claimCharge(request.changeId);
    expect(await claim()).toBe(false);
    await ports.changes.releaseCharge(request.changeId);
    const claims = await Promise.all(Array.from({ length: 20 }, claim));
    expect(claims.filter(Boolean)).toHaveLength(1);
    await ports.changes.releaseCharge(request.changeId);
    const away = withProvider(ports, { void: () => Promise.reject(new Error('away')) });
    await release(request, away);
    expect(await claim()).toBe(false);
  });
});
