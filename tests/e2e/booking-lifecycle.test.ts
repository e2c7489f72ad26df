import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot, readProviderLedger, sql } from '../support/customer.ts';
import { describeRouters } from '../support/system.ts';

const timelineOf = (...statuses: string[]) => statuses.map((status) => ({ status }));

describeRouters('the lifecycle of a booking', (system) => {
  test('a booking is paid, registered, and shown on mypage with every status it had', async () => {
    const space = await listSpace(system, { hourlyRate: 15_000 });
    const kim = await newCustomer(system);
    const slot = nextSlot(30, 2);
    const response = await kim.request(space.id, { slot, headcount: 3 });

    expect(response.__typename).toBe('RequestBookingSuccess');
    expect(response.booking).toMatchObject({
      status: 'PAID',
      headcount: 3,
      price: { amount: 30_000, currency: 'KRW' },
      slot,
      space: { id: space.id, name: space.name },
      payment: { status: 'APPROVED', amount: { amount: 30_000 }, refunded: { amount: 0 } },
    });

    const { id } = response.booking;
    await kim.waitForView(id, {
      bookingId: id,
      timeline: timelineOf('REQUESTED', 'PAID', 'REGISTERED'),
      spaceName: space.name,
      slot,
      price: { amount: 30_000, currency: 'KRW' },
      paymentStatus: 'APPROVED',
      refunded: { amount: 0, currency: 'KRW' },
      registrationStatus: 'REGISTERED',
    });
    expect(await kim.booking(id)).toMatchObject({
      status: 'REGISTERED',
      registration: { status: 'REGISTERED', cancelledAt: null },
      refundQuote: { amount: 30_000 },
    });
    expect(await readProviderLedger(system, id)).toEqual({
      charges: 1,
      charged: 30_000,
      refunded: 0,
    });
  });

  test('a declined payment releases the slot', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const slot = nextSlot();
    const declined = await kim.request(space.id, { slot, paymentMethod: 'pm_declined' });
    expect(declined).toMatchObject({
      __typename: 'PaymentDeclined',
      booking: { status: 'DECLINED' },
    });
    const next = await kim.request(space.id, { slot });
    expect(next.booking.status).toBe('PAID');
    await kim.waitForView(declined.booking.id, { timeline: timelineOf('REQUESTED', 'DECLINED') });
    expect((await kim.cancel(declined.booking.id)).__typename).toBe('BookingNotCancellable');
  });

  test.each(['pm_slow', 'pm_timeout_paid', 'pm_timeout_unpaid', 'pm_busy'])(
    'a payment with %s is deferred, approved without another request, and charged once',
    async (paymentMethod) => {
      const space = await listSpace(system);
      const kim = await newCustomer(system);
      const { booking } = await kim.request(space.id, { paymentMethod });
      expect(booking.status).toBe('PAYMENT_DEFERRED');
      const timeline = timelineOf('REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'REGISTERED');
      await kim.waitForView(booking.id, { status: 'REGISTERED', timeline }, 25);
      expect(await readProviderLedger(system, booking.id)).toEqual({
        charges: 1,
        charged: 20_000,
        refunded: 0,
      });
    },
    40_000,
  );

  test('an overlapping slot is refused with the nearest free slots, and a back-to-back slot is booked', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const day = nextSlot(40).startAt.slice(0, 10);
    const slot = { startAt: `${day}T10:00:00.000Z`, endAt: `${day}T12:00:00.000Z` };
    expect((await kim.request(space.id, { slot })).__typename).toBe('RequestBookingSuccess');

    const overlap = { startAt: `${day}T11:00:00.000Z`, endAt: `${day}T12:00:00.000Z` };
    const refused = await kim.request(space.id, { slot: overlap });
    expect(refused.__typename).toBe('SlotUnavailable');
    expect(refused.alternatives).toEqual([
      { startAt: `${day}T12:00:00.000Z`, endAt: `${day}T13:00:00.000Z` },
      { startAt: `${day}T09:00:00.000Z`, endAt: `${day}T10:00:00.000Z` },
      { startAt: `${day}T13:00:00.000Z`, endAt: `${day}T14:00:00.000Z` },
    ]);

    const after = { startAt: `${day}T12:00:00.000Z`, endAt: `${day}T13:00:00.000Z` };
    expect((await kim.request(space.id, { slot: after })).__typename).toBe('RequestBookingSuccess');
  });

  test('one of 200 concurrent requests for the same slot succeeds, and all others are refused', async () => {
    const space = await listSpace(system);
    const slot = nextSlot();
    const customers = await Promise.all(Array.from({ length: 200 }, () => newCustomer(system)));
    const responses = await Promise.all(
      customers.map((customer) => customer.request(space.id, { slot })),
    );
    const kinds = responses.map((response) => response.__typename);
    expect(kinds.filter((kind) => kind === 'RequestBookingSuccess')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'SlotUnavailable')).toHaveLength(199);
    const [{ count }] = await sql(
      system,
      'book',
      'SELECT count(*)::int FROM booking WHERE space_id = $1',
      [space.id],
    );
    expect(count).toBe(1);
  }, 60_000);

  test('fifty parallel requests with one idempotency key make one booking and one charge', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const input = { slot: nextSlot(), idempotencyKey: randomUUID() };
    const responses = await Promise.all(
      Array.from({ length: 50 }, () => kim.request(space.id, input)),
    );
    const ids = new Set(responses.map((response) => response.booking?.id));
    expect(ids.size).toBe(1);
    const [id] = ids as Set<string>;
    await kim.waitForStatus(id as string, 'REGISTERED');
    expect((await readProviderLedger(system, id as string)).charges).toBe(1);

    const other = await kim.request(space.id, { ...input, headcount: 2 });
    expect(other.__typename).toBe('IdempotencyKeyReused');
    const again = await kim.request(space.id, input);
    expect(again.booking).toMatchObject({ id, status: 'REGISTERED' });
  });

  test('two customers can use the same idempotency key', async () => {
    const space = await listSpace(system);
    const [kim, lee] = [await newCustomer(system), await newCustomer(system)];
    const idempotencyKey = randomUUID();
    const first = await kim.request(space.id, { idempotencyKey });
    const second = await lee.request(space.id, { idempotencyKey });
    expect(second.__typename).toBe('RequestBookingSuccess');
    expect(second.booking.id).not.toBe(first.booking.id);
  });
});

describeRouters('a hold', (system) => {
  test('a hold expires when its payment does not arrive, and a late charge is refunded', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const slot = nextSlot();
    const { booking } = await kim.request(space.id, { slot, paymentMethod: 'pm_busy' });
    // The hold expires before the third attempt, which would approve the payment.
    await sql(
      system,
      'book',
      'UPDATE booking SET hold_expires_at = now(), next_payment_attempt_at = now() WHERE id = $1',
      [booking.id],
    );
    await kim.waitForView(booking.id, {
      timeline: timelineOf('REQUESTED', 'PAYMENT_DEFERRED', 'EXPIRED'),
    });
    expect((await kim.request(space.id, { slot })).booking.status).toBe('PAID');
    const { charged, refunded } = await readProviderLedger(system, booking.id);
    expect(charged - refunded).toBe(0);
  });

  test('an expired hold is released at once by the next request for its slot', async () => {
    const space = await listSpace(system);
    const [kim, lee] = [await newCustomer(system), await newCustomer(system)];
    const slot = nextSlot();
    const { booking } = await kim.request(space.id, { slot, paymentMethod: 'pm_busy' });
    await sql(
      system,
      'book',
      `UPDATE booking SET hold_expires_at = now() - interval '1 second',
              next_payment_attempt_at = now() + interval '1 hour' WHERE id = $1`,
      [booking.id],
    );
    expect((await lee.request(space.id, { slot })).booking.status).toBe('PAID');
    expect((await kim.waitForStatus(booking.id, 'EXPIRED')).status).toBe('EXPIRED');
  });
});
