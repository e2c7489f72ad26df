import { type Latencies, toLatencies } from '../measurement/latencies.ts';
import type { RouterClient } from '../system/router-client.ts';

const readPage = `query MyPage {
  myPage {
    bookings(first: 20) {
      edges {
        node {
          bookingId status spaceName slot { startAt endAt } price { amount currency }
          paymentStatus refunded { amount currency } registrationStatus
          timeline { status at } version updatedAt
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

export interface ReadingResults {
  readsPerSecond: number;
  latency: Latencies;
  /** The average number of bookings on a page: 20, unless a client has fewer. */
  bookingsPerPage: number;
}

/** Every client reads its page of 20 bookings with their timelines, again and again. */
export async function measureReading(load: {
  router: RouterClient;
  tokens: readonly string[];
  warmUpSeconds: number;
  seconds: number;
}): Promise<ReadingResults> {
  const start = performance.now() + load.warmUpSeconds * 1_000;
  const end = start + load.seconds * 1_000;
  const readMs: number[] = [];
  let shown = 0;

  await Promise.all(
    load.tokens.map(async (token) => {
      for (let now = performance.now(); now < end; now = performance.now()) {
        type Data = { myPage: { bookings: { edges: unknown[] } } };
        const { myPage } = await load.router.request<Data>(readPage, {}, token);
        const readAt = performance.now();
        if (readAt < start || readAt >= end) continue;
        readMs.push(readAt - now);
        shown += myPage.bookings.edges.length;
      }
    }),
  );
  return {
    readsPerSecond: readMs.length / load.seconds,
    latency: toLatencies(readMs),
    bookingsPerPage: shown / readMs.length,
  };
}
