import { expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { CANCEL_BOOKING, listSpace, newCustomer } from '../support/customer.ts';
import { describeRouters, type System } from '../support/system.ts';

const operations: [string, string][] = [
  [
    'booking',
    'query ($id: ID!) { booking(id: $id) { id status price { amount } payment { status } registration { status } } }',
  ],
  ['cancelBooking', CANCEL_BOOKING],
  ['myPage.booking', 'query ($id: ID!) { myPage { booking(id: $id) { status booking { id } } } }'],
  ['bookingStatus', 'subscription ($id: ID!) { bookingStatus(bookingId: $id) { status } }'],
];

describeRouters('data of other customers', (system) => {
  test.each(operations)(
    'the field %s responds for a booking of another customer as for an unknown id',
    async (_name, query) => {
      const { token, id } = await strangerAndBooking(system);
      const fetchBooking = (id: string) => fetchComparable(system, token, query, { id });
      const [foreign, unknown] = [await fetchBooking(id), await fetchBooking(uuidv7())];
      expect(foreign).toEqual(unknown);
      expect(foreign.text).not.toContain(id);
    },
  );

  test('a filter, a cursor or an idempotency key reveals nothing of another customer', async () => {
    const space = await listSpace(system);
    const [kim, lee] = [await newCustomer(system), await newCustomer(system)];
    const first = await kim.request(space.id, { idempotencyKey: 'the same' });
    expect(first.__typename).toBe('RequestBookingSuccess');
    // Keys of different customers are independent.
    const second = await lee.request(space.id, { idempotencyKey: 'the same' });
    expect(second.booking.id).not.toBe(first.booking.id);

    await kim.waitForStatus(first.booking.id, 'REGISTERED');
    const query =
      'query ($after: String) { myPage { bookings(after: $after) { edges { cursor node { bookingId } } } } }';
    const own = await kim.graphql(query);
    const [{ cursor }] = own.data.myPage.bookings.edges;
    const { data } = await lee.graphql(query, { after: cursor });
    const seen = data.myPage.bookings.edges.map(
      ({ node }: { node: { bookingId: string } }) => node,
    );
    expect(seen).not.toContainEqual({ bookingId: first.booking.id });
  });
});

async function strangerAndBooking(system: System) {
  const space = await listSpace(system);
  const [kim, lee] = [await newCustomer(system), await newCustomer(system)];
  const { booking } = await kim.request(space.id);
  await kim.waitForStatus(booking.id, 'REGISTERED');
  return { token: lee.token, id: booking.id as string };
}

/** The parts of a response that must be equal; ids of the request and heartbeats are removed. */
async function fetchComparable(system: System, token: string, query: string, variables: object) {
  const response = await fetch(system.graphqlUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      ...(query.startsWith('subscription') && { accept: 'text/event-stream' }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const headers = Object.fromEntries(response.headers);
  delete headers.date;
  const id = String(headers['x-correlation-id']);
  delete headers['x-correlation-id'];
  const text = (await response.text()).replaceAll(/^:\n\n/gm, '').replaceAll(id, 'the request');
  return { status: response.status, headers, text };
}
