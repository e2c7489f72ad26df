import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot } from '../support/customer.ts';
import { describeRouters } from '../support/system.ts';

const PAGE = `query ($first: Int, $after: String, $status: [BookingStatus!]) {
  myPage { bookings(first: $first, after: $after, status: $status) {
    edges { cursor node { bookingId status booking { status space { name } payment { status } } } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  } }
}`;

describeRouters('mypage', (system) => {
  test('mypage lists the bookings of its customer by latest start, in pages, and by status', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      const { booking } = await kim.request(space.id, { slot: nextSlot() });
      ids.push(booking.id);
    }
    const stranger = await newCustomer(system);
    await stranger.request(space.id);
    for (const id of ids) await kim.waitForStatus(id, 'REGISTERED');
    await kim.cancel(ids[2] as string);
    await kim.waitForStatus(ids[2] as string, 'CANCELLED');

    const seen: string[] = [];
    let after: string | null = null;
    for (let page = 0; page < 3; page += 1) {
      // biome-ignore lint/suspicious/noExplicitAny: a response of the API
      const { bookings }: any = (await kim.graphql(PAGE, { first: 2, after })).data.myPage;
      seen.push(...bookings.edges.map((e: { node: { bookingId: string } }) => e.node.bookingId));
      expect(bookings.pageInfo).toMatchObject({ hasNextPage: page < 2, hasPreviousPage: page > 0 });
      after = bookings.pageInfo.endCursor;
    }
    expect(seen).toEqual([...ids].reverse());

    const { bookings } = (await kim.graphql(PAGE, { status: ['CANCELLED'] })).data.myPage;
    expect(bookings.edges).toHaveLength(1);
    expect(bookings.edges[0].node).toMatchObject({
      bookingId: ids[2],
      booking: {
        status: 'CANCELLED',
        space: { name: space.name },
        payment: { status: 'REFUNDED' },
      },
    });
  });

  test('the version of a view increases with every change, and its timeline is in order', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    const registered = await kim.waitForStatus(booking.id, 'REGISTERED');
    await kim.cancel(booking.id);
    const cancelled = await kim.waitForStatus(booking.id, 'CANCELLED');
    expect(cancelled.version).toBeGreaterThan(registered.version);
    const times = cancelled.timeline.map((change: { at: string }) => Date.parse(change.at));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Date.parse(cancelled.updatedAt)).toBeGreaterThanOrEqual(times.at(-1));
  });
});
