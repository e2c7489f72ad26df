import { describe, expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot, readProviderLedger } from '../support/customer.ts';
import { describeRouters } from '../support/system.ts';

const DECIDED = `__typename
  ... on DecideBookingSuccess { booking { id status holdExpiresAt } }
  ... on BookingNotDecidable { status }
  ... on Problem { message }`;
const APPROVE = `mutation ($id: ID!) { decided: approveBooking(input: {bookingId: $id}) { ${DECIDED} } }`;
const REJECT = `mutation ($id: ID!, $reason: String!) {
  decided: rejectBooking(input: {bookingId: $id, reason: $reason}) { ${DECIDED} } }`;
const BOOKING = `query ($id: ID!) { booking(id: $id) {
  status note rejectionReason holdExpiresAt refundQuote { amount }
  refundSchedule { until percent refund { amount } } payment { status } } }`;

describeRouters('a space whose host approves', (system) => {
  async function awaiting(input: object = {}) {
    const space = await listSpace(system, { bookingMode: 'APPROVAL' });
    const kim = await newCustomer(system);
    const slot = nextSlot();
    const requested = await kim.request(space.id, { slot, ...input });
    expect(requested).toMatchObject({ booking: { status: 'AWAITING_APPROVAL', payment: null } });
    const id = requested.booking.id as string;
    const decide = async (query: string, variables: object = {}, token = space.token) =>
      (await system.graphql(token, query, { id, ...variables })).data.decided;
    return { space, kim, slot, id, decide };
  }

  test('a request waits for the host with its slot held, and the approval charges and registers it', async () => {
    const { space, kim, slot, id, decide } = await awaiting({ note: '  We bring a piano.  ' });
    const { booking } = (await kim.graphql(BOOKING, { id })).data;
    expect(booking).toMatchObject({
      note: 'We bring a piano.',
      rejectionReason: null,
      refundQuote: { amount: 0 },
      refundSchedule: [{ until: null, percent: 0, refund: { amount: 0 } }],
    });
    const hours = (Date.parse(booking.holdExpiresAt) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThanOrEqual(24.01);
    expect((await readProviderLedger(system, id)).charges).toBe(0);
    const lee = await newCustomer(system);
    expect((await lee.request(space.id, { slot })).__typename).toBe('SlotUnavailable');

    const approved = await decide(APPROVE);
    expect(approved).toMatchObject({ __typename: 'DecideBookingSuccess', booking: { id } });
    expect(['PAID', 'REGISTERED']).toContain(approved.booking.status);
    await kim.waitForView(id, {
      status: 'REGISTERED',
      timeline: ['AWAITING_APPROVAL', 'REQUESTED', 'PAID', 'REGISTERED'].map((status) => ({
        status,
      })),
    });
    expect(await decide(APPROVE)).toMatchObject({ booking: { status: 'REGISTERED' } });
    expect(await decide(REJECT, { reason: 'No.' })).toMatchObject({
      __typename: 'BookingNotDecidable',
      status: 'REGISTERED',
    });
    expect((await readProviderLedger(system, id)).charges).toBe(1);
  });

  test('a rejection frees the slot, charges nothing and tells the customer why', async () => {
    const { space, kim, slot, id, decide } = await awaiting();
    expect(await decide(REJECT, { reason: 'The room is being painted.' })).toMatchObject({
      booking: { status: 'REJECTED', holdExpiresAt: null },
    });
    expect((await kim.graphql(BOOKING, { id })).data.booking).toMatchObject({
      status: 'REJECTED',
      rejectionReason: 'The room is being painted.',
      payment: null,
    });
    await kim.waitForStatus(id, 'REJECTED');
    expect((await kim.request(space.id, { slot })).booking.status).toBe('AWAITING_APPROVAL');
    expect((await kim.cancel(id)).__typename).toBe('BookingNotCancellable');
  });

  test('an approval whose payment is declined returns the booking as DECLINED', async () => {
    const { kim, id, decide } = await awaiting({ paymentMethod: 'pm_declined' });
    expect(await decide(APPROVE)).toMatchObject({ booking: { status: 'DECLINED' } });
    await kim.waitForView(id, { status: 'DECLINED', paymentStatus: 'DECLINED' });
  });

  test('a customer may cancel before the decision, and nothing is charged', async () => {
    const { kim, id, decide } = await awaiting();
    expect(await kim.cancel(id)).toMatchObject({ refund: { amount: 0 } });
    await kim.waitForView(id, { status: 'CANCELLED', paymentStatus: null });
    expect(await decide(APPROVE)).toMatchObject({
      __typename: 'BookingNotDecidable',
      status: 'CANCELLED',
    });
  });

  test('another host and the customer cannot decide, and the reason must say something', async () => {
    const { kim, id, decide } = await awaiting();
    const other = await listSpace(system);
    expect(await decide(APPROVE, {}, other.token)).toMatchObject({ __typename: 'BookingNotFound' });
    const forbidden = await kim.graphql(APPROVE, { id });
    expect(forbidden.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const host = await system.token('omar', 'operator');
    const empty = await system.graphql(host, REJECT, { id, reason: ' \n' });
    expect(empty.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });

  describe('ten requests at once', () => {
    test('of ten approvals and rejections at once one decides, and the customer is charged at most once', async () => {
      const { id, decide } = await awaiting();
      const decisions = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          index % 2 === 0 ? decide(APPROVE) : decide(REJECT, { reason: 'No.' }),
        ),
      );
      const kinds = [0, 1].map((parity) =>
        decisions.filter((_, index) => index % 2 === parity).map(({ __typename: type }) => type),
      );
      expect(new Set(kinds[0]).size).toBe(1);
      expect(new Set(kinds[1]).size).toBe(1);
      expect(kinds[0]?.[0]).not.toBe(kinds[1]?.[0]);
      const isApproved = kinds[0]?.[0] === 'DecideBookingSuccess';
      expect((await readProviderLedger(system, id)).charges).toBe(isApproved ? 1 : 0);
    });
  });
});
