import { afterEach, describe, expect, test } from '@jest/globals';
import { listSpace, newCustomer } from '../support/customer.ts';
import { liveClients } from '../support/live-clients.ts';
import {
  expectNoGap,
  HOST_BOOKINGS,
  statusesOf,
  unsubscribeAll,
  watch,
} from '../support/status-subscriptions.ts';
import { describeSystems, otherRouters, type System, until } from '../support/system.ts';

afterEach(unsubscribeAll);

const HOST_PAGE = '{ hostPage { bookings { edges { node { bookingId } } } } }';

/** A space with a booking that its host's page shows: mypage knows the space's host. */
async function spaceWithBooking(system: System) {
  const space = await listSpace(system);
  const kim = await newCustomer(system);
  const { booking } = await kim.request(space.id);
  await kim.waitForStatus(booking.id, 'REGISTERED');
  await until('the host’s page shows it', async () => {
    const { data } = await system.graphql(space.token, HOST_PAGE);
    return data.hostPage.bookings.edges.length === 1;
  });
  return { space, kim, id: booking.id as string };
}

describeSystems('the live bookings of a host', (system) => {
  describe.each(liveClients)('the live bookings of a host over $name', (client) => {
    test('a host receives every change of a booking of their spaces, and other hosts do not', async () => {
      const { space, kim, id: old } = await spaceWithBooking(system);
      const other = await spaceWithBooking(system);
      const hosts = watch(client, system, space.token, HOST_BOOKINGS);
      const ofSpace = watch(client, system, space.token, HOST_BOOKINGS, { spaceId: space.id });
      const strangers = watch(client, system, other.space.token, HOST_BOOKINGS);
      const curious = watch(client, system, other.space.token, HOST_BOOKINGS, {
        spaceId: space.id,
      });
      // From now on: until a change of each arrives, the subscriptions may not have started.
      const started = await newCustomer(system);
      await until('all have started', async () => {
        await started.request(space.id);
        await started.request(other.space.id);
        return hosts.views.length > 0 && ofSpace.views.length > 0 && strangers.views.length > 0;
      });

      const { booking } = await kim.request(space.id);
      await kim.waitForStatus(booking.id, 'REGISTERED');
      await kim.cancel(booking.id);
      await kim.cancel(old);
      for (const { views } of [hosts, ofSpace]) {
        const viewsOf = (id: string) => views.filter(({ bookingId }) => bookingId === id);
        await until('both are cancelled and refunded', async () =>
          [booking.id, old].every((id) => {
            const last = viewsOf(id).at(-1);
            return last?.status === 'CANCELLED' && last.refunded.amount === 20_000;
          }),
        );
        expectNoGap(viewsOf(booking.id));
        expectNoGap(viewsOf(old));
        expect(viewsOf(booking.id)[0]).toMatchObject({
          ...{ spaceId: space.id, spaceName: space.name, customerId: kim.name },
          price: { amount: 20_000, currency: 'KRW' },
        });
        expect(statusesOf(viewsOf(booking.id)).at(-1)).toBe('CANCELLED');
      }
      const foreign = [...strangers.views, ...curious.views].map(({ spaceId }) => spaceId);
      expect(foreign).not.toContain(space.id);
      expect(curious.views).toEqual([]);
      const all = [hosts, ofSpace, strangers, curious];
      expect(all.flatMap(({ errors }) => errors)).toEqual([]);
    }, 60_000);

    test('the bookings of a host are refused to customers and anonymous clients', async () => {
      const kim = await newCustomer(system);
      for (const [token, code] of [
        [kim.token, 'FORBIDDEN'],
        [null, 'UNAUTHENTICATED'],
      ] as const) {
        const watching = watch(client, system, token, HOST_BOOKINGS);
        await until('the subscription ends', async () => watching.isOver || watching.errors.length);
        expect(JSON.stringify(watching.errors)).toContain(code);
        expect(watching.views).toEqual([]);
      }
    });
  });

  test('a change of a booking reaches its host on every router', async () => {
    const { space, kim } = await spaceWithBooking(system);
    const [overWebSocket] = liveClients as [(typeof liveClients)[0]];
    const watching = [system, ...otherRouters(system)].map((router) =>
      watch(overWebSocket, router, space.token, HOST_BOOKINGS),
    );
    await until('all have started', async () => {
      await kim.request(space.id);
      return watching.every(({ views }) => views.length > 0);
    });
    const { booking } = await kim.request(space.id);
    await until('it is registered everywhere', async () =>
      watching.every(({ views }) =>
        views.some(({ bookingId, status }) => bookingId === booking.id && status === 'REGISTERED'),
      ),
    );
  });
});
