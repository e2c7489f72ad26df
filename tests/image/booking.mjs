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

/** Time for a booking, and for its registration, while a service may start again. */
const TIMEOUT_SECONDS = 120;

/**
 * Lists a space. `book` books an hour of it that was not booked before, waits until mypage shows the booking as
 * registered, and resolves with its id; a request that fails is sent again, with the same key.
 *
 * @param {string} url
 * @param {Credentials} credentials
 */
export async function listBookableSpace(url, credentials) {
  const host = await client(url, credentials, 'image-host', ['host']);
  const customer = await client(url, credentials, 'image-customer', ['customer']);
  const space = { name: 'Image test', capacity: 4, hourlyRate: 10_000 };
  const listed = (await host(listSpace, { input: space })).listSpace;
  if (!listed.space) throw new Error(`The space was not listed: ${JSON.stringify(listed)}.`);
  const firstHour = new Date(Date.now() + 48 * 3_600_000).setUTCMinutes(0, 0, 0);
  let hours = 0;

  /** @param {string} bookingId */
  async function requireRegistered(bookingId) {
    /** @type {Data} */
    let view;
    await eventually(
      TIMEOUT_SECONDS,
      async () => {
        const data = await customer(myBooking, { id: bookingId }).catch(toShown);
        view = data.myPage?.booking ?? data;
        const { status, paymentStatus, registrationStatus } = view;
        const isDone = status === 'REGISTERED' && paymentStatus === 'APPROVED';
        return isDone && registrationStatus === 'REGISTERED' ? true : undefined;
      },
      () => `The booking ${bookingId} is not registered; mypage shows ${JSON.stringify(view)}.`,
    );
  }

  /** @returns {Promise<string>} */
  async function book() {
    const startAt = new Date(firstHour + hours * 3_600_000);
    hours += 1;
    const endAt = new Date(startAt.getTime() + 3_600_000);
    const slot = { startAt: startAt.toISOString(), endAt: endAt.toISOString() };
    const input = { idempotencyKey: randomUUID(), spaceId: listed.space.id, slot };
    /** @type {Data} */
    let data;
    // Book refuses the booking until it has received the event of the new space.
    const booking = await eventually(
      TIMEOUT_SECONDS,
      async () => {
        const variables = { input: { ...input, paymentMethod: 'pm_ok' } };
        data = await customer(requestBooking, variables).catch(toShown);
        return data.requestBooking?.booking;
      },
      () => `The space was not booked after ${TIMEOUT_SECONDS} s: ${JSON.stringify(data)}.`,
    );
    await requireRegistered(booking.id);
    return booking.id;
  }

  return { book, requireRegistered };
}

/** @param {Error} error */
const toShown = ({ message, cause }) => ({ message, cause: String(cause) });

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
