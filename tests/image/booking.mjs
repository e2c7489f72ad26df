import { randomUUID } from 'node:crypto';
import { signToken } from '../support/identity-provider.mjs';
import { eventually } from './processes.mjs';

/** @typedef {import('../support/identity-provider.mjs').Credentials} Credentials */

/** @typedef {any} Data as the query asks for it: where it differs, the test fails */

const listSpace = `mutation ($input: ListSpaceInput!) {
  listSpace(input: $input) {
    __typename
    ... on ListSpaceSuccess { space { id } }
    ... on Problem { message }
  }
}`;

const requestBooking = `mutation ($input: RequestBookingInput!) {
  requestBooking(input: $input) {
    __typename
    ... on RequestBookingSuccess { booking { id } }
    ... on Problem { message }
  }
}`;

const myBooking = `query ($id: ID!) {
  myPage { booking(id: $id) { status paymentStatus registrationStatus } }
}`;

/**
 * Lists a space, books it and waits until mypage shows the booking as registered.
 *
 * @param {string} url
 * @param {Credentials} credentials
 */
export async function bookSpace(url, credentials) {
  const host = await client(url, credentials, 'image-host', ['host']);
  const customer = await client(url, credentials, 'image-customer', ['customer']);

  const space = { name: 'Image test', capacity: 4, hourlyRate: 10_000 };
  const listed = (await host(listSpace, { input: space })).listSpace;
  if (!listed.space) throw new Error(`The space was not listed: ${JSON.stringify(listed)}.`);

  const startAt = new Date(Date.now() + 48 * 3_600_000);
  startAt.setUTCMinutes(0, 0, 0);
  const endAt = new Date(startAt.getTime() + 3_600_000);
  const slot = { startAt: startAt.toISOString(), endAt: endAt.toISOString() };
  /** @type {Data} */
  let response;
  // Book refuses the booking until it has received the event of the new space.
  const booking = await eventually(
    30,
    async () => {
      const input = { idempotencyKey: randomUUID(), spaceId: listed.space.id, slot };
      response = await customer(requestBooking, { input: { ...input, paymentMethod: 'pm_ok' } });
      return response.requestBooking.booking;
    },
    () => `The space was not booked after 30 s: ${JSON.stringify(response)}.`,
  );

  /** @type {Data} */
  let view;
  await eventually(
    30,
    async () => {
      view = (await customer(myBooking, { id: booking.id })).myPage.booking;
      const { status, paymentStatus, registrationStatus } = view ?? {};
      const isDone = status === 'REGISTERED' && paymentStatus === 'APPROVED';
      return isDone && registrationStatus === 'REGISTERED' ? view : undefined;
    },
    () => `The booking is not registered after 30 s; mypage shows ${JSON.stringify(view)}.`,
  );
}

/**
 * @param {string} url
 * @param {Credentials} credentials
 * @param {string} user
 * @param {string[]} roles
 * @returns {Promise<(query: string, variables: object) => Promise<Data>>}
 */
async function client(url, credentials, user, roles) {
  const token = await signToken(credentials, user, roles, '10m');
  return async (query, variables) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = /** @type {{ data: Data, errors?: object[] }} */ (
      await response.json()
    );
    if (errors) throw new Error(`The router responds with errors: ${JSON.stringify(errors)}`);
    return data;
  };
}
