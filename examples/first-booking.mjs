// Books an hour, waits until the use of the space is registered, and cancels.
import { setTimeout as pause } from 'node:timers/promises';
import { graphql, signIn } from './api.mjs';
import { cancelBooking, findFreeHour, requestBooking } from './booking.mjs';

const TIMEOUT_MS = 30_000;
const VIEW = `query ($id: ID!) {
  myPage { booking(id: $id) { status spaceName timeline { status at } } }
}`;

const token = await signIn();
const { space, slot } = await findFreeHour(token);
const booking = await requestBooking(token, space.id, slot);
const { amount, currency } = booking.price;
console.log(`Booked ${space.name} from ${slot.startAt}: ${booking.status}, ${amount} ${currency}`);

// The read model follows within a moment: it is made from the events of all services.
const view = await viewAt(booking.id, 'REGISTERED');
for (const { status, at } of view.timeline) console.log(`  ${at} ${status}`);

const refund = await cancelBooking(token, booking.id);
console.log(`Cancelled: ${refund.amount} ${refund.currency} are refunded`);

/**
 * @param {string} id
 * @param {string} status
 * @returns {Promise<{ timeline: { status: string, at: string }[] }>}
 */
async function viewAt(id, status) {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const { myPage } = await graphql(token, VIEW, { id });
    if (myPage.booking?.status === status) return myPage.booking;
    if (Date.now() > deadline) throw new Error(`The booking is not ${status} within 30 s.`);
    await pause(200);
  }
}
