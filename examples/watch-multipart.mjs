// Watches all bookings of the customer over multipart HTTP, with Apollo Client's HttpLink. Ends with Ctrl-C.
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { signIn, url } from './api.mjs';

const client = new ApolloClient({
  link: new HttpLink({ uri: url, headers: { authorization: `Bearer ${await signIn()}` } }),
  cache: new InMemoryCache(),
});

/** @type {import('@apollo/client').TypedDocumentNode<{ myBookingStatuses: { __typename: string } }>} */
const query = gql`
  subscription {
    myBookingStatuses { bookingId status version spaceName }
  }
`;

console.log(`Watching over multipart HTTP, ${url}`);
client
  .subscribe({
    query,
    // Each response is a change by itself: nothing is to be merged with the cache.
    fetchPolicy: 'no-cache',
  })
  .subscribe({
    next: ({ data, error }) => {
      if (!data) return console.error(error);
      const { __typename, ...change } = data.myBookingStatuses;
      console.log(JSON.stringify(change));
    },
    error: (error) => {
      console.error('The subscription failed:', error);
      process.exitCode = 1;
    },
    complete: () => console.log('The server has completed the subscription.'),
  });
