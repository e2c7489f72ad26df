import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot, readProviderLedger, sql } from '../support/customer.ts';
import { describeRouters } from '../support/system.ts';

const timelineOf = (...statuses: string[]) => statuses.map((status) => ({ status }));

describeRouters('a cancellation', (system) => {
  async function registered(paymentMethod = 'pm_ok', days = 30, input: object = {}) {
    const space = await listSpace(system, input);
    const kim = await newCustomer(system);
    const slot = nextSlot(days);
    const { booking } = await kim.request(space.id, { slot, paymentMethod });
    await kim.waitForStatus(booking.id, 'REGISTERED');
    return { space, kim, slot, id: booking.id as string };
  }

  test('a cancellation refunds the quoted amount, cancels the registration and releases the slot', async () => {
    const { space, kim, slot, id } = await registered('pm_ok', 30, {
      refundTiers: [{ daysBefore: 2, percent: 70 }],
    });
    expect((await kim.booking(id)).refundQuote.amount).toBe(14_000);
    const cancelled = await kim.cancel(id);
    expect(cancelled).toMatchObject({
      __typename: 'CancelBookingSuccess',
      refund: { amount: 14_000, currency: 'KRW' },
    });
    await kim.waitForView(id, {
      timeline: timelineOf('REQUESTED', 'PAID', 'REGISTERED', 'CANCELLING', 'CANCELLED'),
      paymentStatus: 'PARTIALLY_REFUNDED',
      refunded: { amount: 14_000 },
      registrationStatus: 'CANCELLED',
    });
    expect(await kim.booking(id)).toMatchObject({
      payment: { status: 'PARTIALLY_REFUNDED', refunded: { amount: 14_000 } },
      registration: { status: 'CANCELLED' },
    });
    expect(await readProviderLedger(system, id)).toEqual({
      charges: 1,
      charged: 20_000,
      refunded: 14_000,
    });
    expect((await kim.request(space.id, { slot })).booking.status).toBe('PAID');
  });

  test('a cancellation that meets no refund tier refunds nothing and completes', async () => {
    const { kim, id } = await registered('pm_ok', 30, {
      refundTiers: [{ daysBefore: 3000, percent: 100 }],
    });
    expect((await kim.cancel(id)).refund.amount).toBe(0);
    await kim.waitForView(id, {
      status: 'CANCELLED',
      paymentStatus: 'APPROVED',
      refunded: { amount: 0 },
    });
  });

  test('a cancellation by the host refunds the whole price', async () => {
    const { space, kim, id } = await registered('pm_ok', 30, {
      refundTiers: [{ daysBefore: 3000, percent: 100 }],
    });
    const host = { ...(await newCustomer(system)), token: space.token };
    const response = await system.graphql(
      host.token,
      'mutation ($id: ID!) { cancelBooking(input: {bookingId: $id}) { ... on CancelBookingSuccess { refund { amount } } } }',
      { id },
    );
    expect(response.data.cancelBooking.refund.amount).toBe(20_000);
    await kim.waitForView(id, { status: 'CANCELLED', paymentStatus: 'REFUNDED' });
  });

  test('ten concurrent cancellations return the same booking and refund once', async () => {
    const { kim, id } = await registered();
    const responses = await Promise.all(Array.from({ length: 10 }, () => kim.cancel(id)));
    for (const response of responses) {
      expect(response).toMatchObject({ booking: { id }, refund: { amount: 20_000 } });
    }
    await kim.waitForStatus(id, 'CANCELLED');
    expect((await readProviderLedger(system, id)).refunded).toBe(20_000);
    expect((await kim.cancel(id)).booking.status).toBe('CANCELLED');
  });

  test('a cancellation before a slow payment is approved refunds the late charge in full', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id, { paymentMethod: 'pm_slow' });
    expect(booking.status).toBe('PAYMENT_DEFERRED');
    expect((await kim.cancel(booking.id)).__typename).toBe('CancelBookingSuccess');
    await kim.waitForStatus(booking.id, 'CANCELLED');
    const { charged, refunded } = await readProviderLedger(system, booking.id);
    expect(charged - refunded).toBe(0);
    const [live] = await sql(
      system,
      'space',
      `SELECT count(*)::int FROM registration WHERE booking_id = $1 AND status = 'REGISTERED'`,
      [booking.id],
    );
    expect(live.count).toBe(0);
  });

  test('a cancellation after the charge, when the response of the provider was lost, refunds in full', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id, { paymentMethod: 'pm_timeout_paid' });
    await kim.cancel(booking.id);
    await kim.waitForView(booking.id, { status: 'CANCELLED', paymentStatus: 'REFUNDED' });
    expect(await readProviderLedger(system, booking.id)).toEqual({
      charges: 1,
      charged: 20_000,
      refunded: 20_000,
    });
  });

  test('a booking whose use cannot be registered is cancelled with a full refund', async () => {
    const space = await listSpace(system, { refundTiers: [{ daysBefore: 3000, percent: 100 }] });
    const slot = nextSlot();
    // A registration of another paid booking is in the way.
    await sql(
      system,
      'space',
      `WITH registered AS (
         INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
                version)
         VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), $1, $2, $3,
                 'REGISTERED', 1)
      RETURNING *)
       INSERT INTO occupied_slot (booking_id, space_id, start_at, end_at, live, version, status,
              payment_id)
       SELECT booking_id, space_id, start_at, end_at, TRUE, 2, 'PAID', payment_id FROM registered`,
      [space.id, slot.startAt, slot.endAt],
    );
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id, { slot });
    await kim.waitForView(booking.id, {
      timeline: timelineOf('REQUESTED', 'PAID', 'CANCELLING', 'CANCELLED'),
      paymentStatus: 'REFUNDED',
      refunded: { amount: 20_000 },
      registrationStatus: 'REJECTED',
    });
  });
});
