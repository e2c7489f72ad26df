import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot, readProviderLedger, sql } from '../support/customer.ts';
import { describeSystems, until } from '../support/system.ts';

const RESOLVE = `mutation ($input: ResolveRefundInput!) {
  resolveRefund(input: $input) {
    __typename
    ... on ResolveRefundSuccess { payment { status refunded { amount } } }
    ... on Problem { message }
  }
}`;

describeSystems('refunds and payments that fail', (system) => {
  test('a refund that the provider refuses is shown as failed until an operator resolves it', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id, { paymentMethod: 'pm_refund_fails' });
    expect(booking.status).toBe('PAID');
    await kim.waitForStatus(booking.id, 'REGISTERED');
    expect((await kim.cancel(booking.id)).__typename).toBe('CancelBookingSuccess');

    await until('the provider has refused the refund once', async () => {
      const [refund] = await sql(
        system,
        'payment',
        'SELECT refusals FROM refund r JOIN payment p ON p.id = payment_id WHERE booking_id = $1',
        [booking.id],
      );
      return refund?.refusals > 0;
    });
    // Skips the pauses between further attempts.
    await sql(
      system,
      'payment',
      `UPDATE refund SET refusals = 100 FROM payment p
        WHERE p.id = payment_id AND booking_id = $1`,
      [booking.id],
    );
    await kim.waitForView(booking.id, { paymentStatus: 'REFUND_FAILED' }, 25);
    expect((await kim.booking(booking.id)).payment).toMatchObject({
      status: 'REFUND_FAILED',
      refunded: { amount: 0 },
    });

    const operator = await system.token(`operator-${randomUUID()}`, 'operator');
    const resolve = async (resolution: string) =>
      (
        await system.graphql(operator, RESOLVE, {
          input: { bookingId: booking.id, resolution, reason: 'paid by bank transfer' },
        })
      ).data.resolveRefund;
    expect(await resolve('RETRY')).toMatchObject({ payment: { status: 'REFUND_FAILED' } });
    const refunded = { payment: { status: 'REFUNDED', refunded: { amount: 20_000 } } };
    expect(await resolve('SETTLED_OUTSIDE')).toMatchObject(refunded);
    expect(await resolve('SETTLED_OUTSIDE')).toMatchObject(refunded);
    await kim.waitForView(booking.id, {
      status: 'CANCELLED',
      paymentStatus: 'REFUNDED',
      refunded: { amount: 20_000 },
    });
    expect(await readProviderLedger(system, booking.id)).toMatchObject({ refunded: 0 });
  }, 60_000);

  test('a refund with a slow provider is made once', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id, { paymentMethod: 'pm_refund_slow' });
    await kim.cancel(booking.id);
    await kim.waitForView(booking.id, { status: 'CANCELLED', paymentStatus: 'REFUNDED' }, 25);
    expect(await readProviderLedger(system, booking.id)).toMatchObject({ refunded: 20_000 });
  }, 40_000);

  test('thirty bookings with a busy payment method do not defer the payments of other customers', async () => {
    const space = await listSpace(system);
    const deferred = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const customer = await newCustomer(system);
        return customer.request(space.id, { slot: nextSlot(), paymentMethod: 'pm_busy' });
      }),
    );
    for (const { booking } of deferred) expect(booking.status).toBe('PAYMENT_DEFERRED');
    const kim = await newCustomer(system);
    for (let n = 0; n < 5; n += 1) {
      expect((await kim.request(space.id)).booking.status).toBe('PAID');
    }
  }, 60_000);
});
