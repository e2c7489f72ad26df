// Watches all bookings of the customer over Server-Sent Events, with the package graphql-sse. Ends with Ctrl-C.
import { createClient } from 'graphql-sse';
import { signIn, url } from './api.mjs';

const client = createClient({
  url,
  // Called for each connection: an expired token ends the stream, and the next one has a new token.
  headers: async () => ({ authorization: `Bearer ${await signIn()}` }),
});

console.log(`Watching over Server-Sent Events, ${url}`);
client.subscribe(
  { query: 'subscription { myBookingStatuses { bookingId status version spaceName } }' },
  {
    next: ({ data, errors }) => {
      if (errors) console.error(errors);
      else console.log(JSON.stringify(data?.myBookingStatuses));
    },
    error: (error) => {
      console.error('The subscription failed:', error);
      process.exitCode = 1;
    },
    complete: () => console.log('The server has completed the subscription.'),
  },
);
