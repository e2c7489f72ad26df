// Loses its connection, and resumes with afterVersion: what happened meanwhile follows, in order, each once.
import { createClient } from 'graphql-sse';
import { signIn, url } from './api.mjs';
import { cancelBooking, findFreeHour, requestBooking } from './booking.mjs';

const STATUS = `subscription ($id: ID!, $after: Int) {
  bookingStatus(bookingId: $id, afterVersion: $after) { status paymentStatus version }
}`;

const token = await signIn();
const client = createClient({ url, headers: { authorization: `Bearer ${token}` } });

const { space, slot } = await findFreeHour(token);
const booking = await requestBooking(token, space.id, slot);
console.log(`Booked ${space.name}: ${booking.id}`);

let lastVersion = 0;
for await (const { status, version } of watch()) {
  console.log(`  version ${version}: ${status}`);
  lastVersion = version;
  if (status === 'REGISTERED') break;
}
console.log(`The connection is closed after version ${lastVersion}.`);

await cancelBooking(token, booking.id);
console.log('Meanwhile the booking is cancelled.');

console.log(`Resumed with afterVersion: ${lastVersion}.`);
// The server completes the subscription of a booking that has ended, once the refund shows.
for await (const { status, paymentStatus, version } of watch(lastVersion)) {
  console.log(`  version ${version}: ${status}, payment ${paymentStatus}`);
}
console.log('Completed.');
client.dispose();

/**
 * The states of the booking that are newer than the version; without one the present state first. Leaving the loop
 * closes the connection.
 *
 * @param {number} [after]
 * @returns {AsyncGenerator<{ status: string, paymentStatus: string, version: number }>}
 */
async function* watch(after) {
  for await (const { data, errors } of client.iterate({
    query: STATUS,
    variables: { id: booking.id, after },
  })) {
    if (errors) throw new Error(errors.map(({ message }) => message).join('\n'));
    yield/** @type {any} */ (data).bookingStatus;
  }
}
