// Watches all bookings of the customer over WebSocket, with the package graphql-ws. Ends with Ctrl-C.
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { signIn, url } from './api.mjs';

const client = createClient({
  url: url.replace(/^http/, 'ws'),
  // A browser has its own.
  webSocketImpl: WebSocket,
  // Called for each connection: when the token has expired the server closes the connection, and the client comes
  // back with a new one.
  connectionParams: async () => ({ authorization: `Bearer ${await signIn()}` }),
  on: { connected: () => console.log(`Watching over WebSocket, ${url}`) },
});

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
