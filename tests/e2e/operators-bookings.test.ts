import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot, REQUEST_BOOKING, sql } from '../support/customer.ts';
import { describeRouters, describeSystems, eventually } from '../support/system.ts';

const BOOKINGS = `query ($filter: BookingFilter, $first: Int, $after: String) {
  bookings(filter: $filter, first: $first, after: $after) {
    edges { cursor node { id status space { id name } payment { status } } }
    pageInfo { hasNextPage endCursor }
  }
}`;

describeRouters('the list of bookings for operators', (system) => {
  test('the list of bookings for operators is paged, newest first, with fields of other contexts', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) ids.unshift((await kim.request(space.id)).booking.id);
    const operator = await system.token('olga', 'operator');
    const listBookings = async (variables: object) => {
      const { data, errors } = await system.graphql(operator, BOOKINGS, variables);
      expect(errors).toBeUndefined();
      return data.bookings;
    };
    const filter = { customerId: kim.name, spaceId: space.id, hostId: space.host };
    const first = await listBookings({ filter, first: 2 });
    expect(first.pageInfo.hasNextPage).toBe(true);
    const rest = await listBookings({ filter, first: 2, after: first.pageInfo.endCursor });
    expect(rest.pageInfo.hasNextPage).toBe(false);
    const nodes = [...first.edges, ...rest.edges].map(({ node }) => node);
    expect(nodes.map(({ id }) => id)).toEqual(ids);
    for (const node of nodes) {
      expect(node.space).toEqual({ id: space.id, name: space.name });
      expect(node.payment.status).toBe('APPROVED');
    }
    expect((await listBookings({ filter: { ...filter, stuck: true } })).edges).toEqual([]);
    expect((await listBookings({ filter: { ...filter, status: ['EXPIRED'] } })).edges).toEqual([]);
  });

  test.each(['customer', 'host'])(
    'the list of bookings for operators is refused to a %s',
    async (role) => {
      const token = await system.token('kim', role);
      const { errors } = await system.graphql(token, BOOKINGS);
      expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    },
  );
});

describeSystems('a customer with many unpaid bookings', (system) => {
  test('a sixth unpaid booking of one customer is refused with the limit', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const input = { paymentMethod: 'pm_busy' };
    for (let n = 0; n < 5; n += 1) {
      expect((await kim.request(space.id, input)).__typename).toBe('RequestBookingSuccess');
    }
    const { data } = await kim.graphql(
      REQUEST_BOOKING.replace(
        '... on Problem',
        '... on TooManyPendingBookings { limit } ... on Problem',
      ),
      { input: { ...input, idempotencyKey: 'sixth', spaceId: space.id, slot: nextSlot() } },
    );
    expect(data.requestBooking).toMatchObject({ __typename: 'TooManyPendingBookings', limit: 5 });
  });
});

describeSystems('a paid booking whose events were lost', (system) => {
  test('a paid booking whose events were lost is confirmed when its deadline check is due', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    await kim.waitForStatus(booking.id, 'REGISTERED');
    // The same state as if the event Registered had been lost.
    await sql(
      system,
      'book',
      "UPDATE booking SET status = 'PAID', version = version + 1 WHERE id = $1",
      [booking.id],
    );
    await sql(system, 'book', 'UPDATE booking SET next_check_at = now() WHERE id = $1', [
      booking.id,
    ]);
    await eventually(async () => {
      const [row] = await sql(system, 'book', 'SELECT status FROM booking WHERE id = $1', [
        booking.id,
      ]);
      expect(row.status).toBe('REGISTERED');
    });
  });
});
