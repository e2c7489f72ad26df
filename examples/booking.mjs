// Finding a free hour, booking it and cancelling it.
import { randomUUID } from 'node:crypto';
import { graphql } from './api.mjs';

const HOUR_MS = 3_600_000;

/**
 * @typedef {{ startAt: string, endAt: string }} Slot
 * @typedef {{ id: string, name: string, freeSlots: Slot[] | null }} Space
 */

/**
 * A space and an hour in the next days in which nobody else is there. SPACE_ID names the space.
 *
 * @param {string} token
 * @returns {Promise<{ space: Space, slot: Slot }>}
 */
export async function findFreeHour(token) {
  const from = Math.ceil(Date.now() / HOUR_MS + 24) * HOUR_MS;
  const range = { from: toText(from), to: toText(from + 6 * 24 * HOUR_MS) };
  for (const space of await readSpaces(token, range)) {
    for (const { startAt, endAt } of space.freeSlots ?? []) {
      const start = Math.max(from, Math.ceil(Date.parse(startAt) / HOUR_MS) * HOUR_MS);
      const end = start + HOUR_MS;
      if (end <= Date.parse(endAt)) {
        return { space, slot: { startAt: toText(start), endAt: toText(end) } };
      }
    }
  }
  throw new Error('No space has a free hour in the next days.');
}

/**
 * @param {string} token
 * @param {{ from: string, to: string }} range
 * @returns {Promise<Space[]>}
 */
async function readSpaces(token, range) {
  const types = '$from: DateTime!, $to: DateTime!';
  const fields = 'id name freeSlots(from: $from, to: $to) { startAt endAt }';
  const id = process.env.SPACE_ID;
  if (id) {
    const query = `query ($id: ID!, ${types}) { space(id: $id) { ${fields} } }`;
    const { space } = await graphql(token, query, { id, ...range });
    return space ? [space] : [];
  }
  const query = `query (${types}) { spaces(first: 5) { edges { node { ${fields} } } } }`;
  const { spaces } = await graphql(token, query, range);
  return spaces.edges.map((/** @type {{ node: Space }} */ { node }) => node);
}

/**
 * Books the slot, and resolves with the booking. The idempotency key makes it safe to repeat the request: the same
 * key with the same input never books twice.
 *
 * @param {string} token
 * @param {string} spaceId
 * @param {Slot} slot
 * @returns {Promise<{ id: string, status: string, price: { amount: number, currency: string } }>}
 */
export async function requestBooking(token, spaceId, slot) {
  const mutation = `mutation ($input: RequestBookingInput!) {
    requestBooking(input: $input) {
      ... on RequestBookingSuccess { booking { id status price { amount currency } } }
      ... on Problem { message }
    }
  }`;
  const input = { idempotencyKey: randomUUID(), spaceId, slot, paymentMethod: 'pm_ok' };
  const { requestBooking: result } = await graphql(token, mutation, { input });
  if (!result.booking) throw new Error(`The booking was refused: ${result.message}`);
  return result.booking;
}

/**
 * Cancels the booking, and resolves with the amount that is refunded.
 *
 * @param {string} token
 * @param {string} bookingId
 * @returns {Promise<{ amount: number, currency: string }>}
 */
export async function cancelBooking(token, bookingId) {
  const mutation = `mutation ($input: CancelBookingInput!) {
    cancelBooking(input: $input) {
      ... on CancelBookingSuccess { refund { amount currency } }
      ... on Problem { message }
    }
  }`;
  const { cancelBooking: result } = await graphql(token, mutation, { input: { bookingId } });
  if (!result.refund) throw new Error(`The booking was not cancelled: ${result.message}`);
  return result.refund;
}

/** @param {number} time milliseconds since 1970 */
function toText(time) {
  return new Date(time).toISOString();
}
