import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { listSpace, newCustomer } from '../support/customer.ts';
import { type LiveClient, liveClients } from '../support/live-clients.ts';
import {
  BOOKING_STATUS,
  comparableErrors,
  expectNoGap,
  expectWholeLifecycle,
  LIFECYCLE,
  MY_BOOKING_STATUSES,
  statusesOf,
  unsubscribeAll,
  type View,
  watch,
  watchToEnd,
} from '../support/status-subscriptions.ts';
import { describeSystems, otherRouters, until } from '../support/system.ts';

afterEach(unsubscribeAll);

describeSystems('live booking status', (system) => {
  describe.each(liveClients)('live booking status over $name', (client) => {
    test('a subscription shows every status of a booking in order, with fields of other contexts', async () => {
      const space = await listSpace(system);
      const kim = await newCustomer(system);
      const { booking } = await kim.request(space.id);
      const watching = watch(client, system, kim.token, BOOKING_STATUS, {
        id: booking.id,
        after: 0,
      });
      await until('it is registered', async () => watching.views.at(-1)?.status === 'REGISTERED');
      await kim.cancel(booking.id);
      await until('the subscription ends by itself', async () => watching.isOver);
      expect(watching.errors).toEqual([]);
      expectWholeLifecycle(watching.views);
      expect(watching.views.at(-1)).toMatchObject({
        bookingId: booking.id,
        status: 'CANCELLED',
        paymentStatus: 'REFUNDED',
        registrationStatus: 'CANCELLED',
        timeline: LIFECYCLE.map((status) => ({ status })),
        booking: {
          id: booking.id,
          price: { amount: 20_000 },
          payment: { status: 'REFUNDED' },
          registration: { status: 'CANCELLED' },
          space: { name: space.name },
        },
      });
    });

    test('a subscription begins with the present state, or after a version with newer ones only', async () => {
      const space = await listSpace(system);
      const kim = await newCustomer(system);
      const { booking } = await kim.request(space.id);
      const registered = await kim.waitForStatus(booking.id, 'REGISTERED');
      const from = watch(client, system, kim.token, BOOKING_STATUS, { id: booking.id });
      await until('the present state', async () => from.views.length > 0);
      const known = Number(from.views[0]?.version);
      expect(known).toBeGreaterThanOrEqual(registered.version);
      const resumed = watch(client, system, kim.token, BOOKING_STATUS, {
        id: booking.id,
        after: known,
      });
      await kim.cancel(booking.id);
      await until('both end', async () => from.isOver && resumed.isOver);
      expectNoGap(from.views);
      expect(resumed.views).toEqual(from.views.slice(1));
      // A cancelled booking does not change any more.
      const over = watch(client, system, kim.token, BOOKING_STATUS, {
        id: booking.id,
        after: from.views.at(-1)?.version,
      });
      await until('it ends at once', async () => over.isOver);
      expect([over.views, over.errors]).toEqual([[], []]);
    });

    test('a subscription to all own bookings shows every change after it began', async () => {
      const space = await listSpace(system);
      const [kim, lee] = [await newCustomer(system), await newCustomer(system)];
      const { booking: before } = await kim.request(space.id);
      // All events so far are in the view, also if one overtook another.
      await kim.waitForView(before.id, {
        status: 'REGISTERED',
        paymentStatus: 'APPROVED',
        registrationStatus: 'REGISTERED',
        timeline: [{ status: 'REQUESTED' }, { status: 'PAID' }, { status: 'REGISTERED' }],
      });
      const { version: present } = await kim.view(before.id);
      const watching = watch(client, system, kim.token, MY_BOOKING_STATUSES);
      // Only an event proves that the subscription has begun.
      const early: string[] = [];
      await until('it has begun', async () => {
        early.push((await kim.request(space.id)).booking.id);
        return until('an event', async () => watching.views.length > 0, 2).catch(() => false);
      });
      for (const id of early) await kim.waitForStatus(id, 'REGISTERED');
      const [{ booking: first }, { booking: second }] = await Promise.all([
        kim.request(space.id),
        kim.request(space.id),
        lee.request(space.id),
      ]);
      const of = (id: string) => watching.views.filter(({ bookingId }) => bookingId === id);
      const shownOf = (ids: string[]) => ids.filter((id) => of(id).length > 0);
      for (const { id } of [first, second]) {
        await until('it is registered', async () => of(id).at(-1)?.status === 'REGISTERED');
        expectNoGap(of(id));
        expect(of(id)[0]?.timeline).toHaveLength(1);
      }
      await kim.cancel(before.id);
      await until('the older one too', async () => of(before.id).at(-1)?.status === 'CANCELLED');
      // The notification of the present version may still arrive; older versions must not.
      expect(of(before.id).every(({ version }) => version >= present)).toBe(true);
      const later = of(before.id).filter(({ version }) => version > present);
      // The registration's event may overtake the booking's.
      const isOvertaken = (view: View) =>
        view.status === 'REGISTERED' && view.registrationStatus === 'CANCELLED';
      expect(statusesOf(later.filter((view) => !isOvertaken(view)))).toEqual([
        'CANCELLING',
        'CANCELLED',
      ]);
      expect(new Set(watching.views.map(({ bookingId }) => bookingId))).toEqual(
        new Set([before.id, first.id, second.id, ...shownOf(early)]),
      );
      expect(watching.isOver).toBe(false);
    });

    test('a subscription to a booking of another customer fails like one to an unknown booking', async () => {
      const space = await listSpace(system);
      const [kim, lee] = [await newCustomer(system), await newCustomer(system)];
      const { booking } = await kim.request(space.id);
      const unknown = '018f0000-0000-7000-8000-000000000000';
      const refused = [booking.id, unknown].map((id) =>
        watch(client, system, lee.token, BOOKING_STATUS, { id }),
      );
      const malformed = watch(client, system, lee.token, BOOKING_STATUS, { id: 'four' });
      const anonymous = watch(client, system, null, BOOKING_STATUS, { id: booking.id });
      const all = [...refused, malformed, anonymous];
      await until('all are refused', async () =>
        all.every(({ errors, isOver }) => isOver || errors.length > 0),
      );
      expect(all.map(({ views }) => views)).toEqual([[], [], [], []]);
      expect(comparableErrors(refused[0]?.errors ?? [])).toContain('NOT_FOUND');
      expect(comparableErrors(refused[0]?.errors ?? [])).toBe(
        comparableErrors(refused[1]?.errors ?? []),
      );
      expect(comparableErrors(malformed.errors)).toContain('BAD_USER_INPUT');
      expect(comparableErrors(anonymous.errors)).toContain('UNAUTHENTICATED');
    });
  });

  test('a subscription misses and repeats nothing, at whatever moment it begins', async () => {
    const space = await listSpace(system);
    const [client] = liveClients as [LiveClient];
    const bookings = Array.from({ length: 6 }, async (_, index) => {
      // One customer may not have six unpaid bookings at once.
      const kim = await newCustomer(system);
      const { booking } = await kim.request(space.id);
      const watchers = Array.from({ length: 8 }, async (_, nth) => {
        await pause(nth * 40 + index * 7);
        return watch(client, system, kim.token, BOOKING_STATUS, { id: booking.id });
      });
      await pause(60 * index);
      await kim.cancel(booking.id);
      for (const watching of await Promise.all(watchers)) {
        await until('it ends', async () => watching.isOver, 30);
        expect(watching.errors).toEqual([]);
        expectNoGap(watching.views);
        expect(watching.views.at(-1)?.status).toBe('CANCELLED');
      }
    });
    await Promise.all(bookings);
  }, 60_000);

  test('a change of a booking reaches the subscribers of every router', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const routers = [system, ...otherRouters(system)];
    const { booking } = await kim.request(space.id);
    const watching = routers.flatMap((router) =>
      liveClients.map((client) =>
        watch(client, router, kim.token, BOOKING_STATUS, { id: booking.id, after: 0 }),
      ),
    );
    // A booking that is cancelled earlier is never registered.
    await kim.waitForStatus(booking.id, 'REGISTERED');
    await kim.cancel(booking.id);
    for (const one of watching) {
      await until('it ends', async () => one.isOver);
      expect(one.errors).toEqual([]);
      expectWholeLifecycle(one.views);
    }
  });

  test('every subscriber sees every status in order while services are killed', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    const kill = (name: string) => process.kill(Number(system.instance().services[name]?.pid), 9);
    const received = liveClients.map((): View[] => []);
    const watching = liveClients.map((client, index) =>
      watchToEnd(client, system, kim.token, booking.id, received[index] as View[]),
    );
    await pause(200);
    kill('mypage');
    await pause(500);
    kill('router');
    await until(
      'it is registered',
      async () => (await kim.view(booking.id).catch(() => null))?.status === 'REGISTERED',
      60,
    );
    const cancelled = until(
      'the booking is cancelled',
      async () =>
        (await kim.cancel(booking.id).catch(() => null))?.__typename === 'CancelBookingSuccess',
      60,
    );
    await pause(1_000);
    kill('book');
    await cancelled;
    for (const name of ['payment', 'mypage', 'space']) {
      kill(name);
      await pause(300);
    }
    await Promise.all(watching);
    for (const views of received) expectWholeLifecycle(views);
    // The next test needs all services.
    await until(
      'all services run again',
      async () => {
        const { services } = system.instance();
        const responses = Object.values(services).map(({ url }) =>
          fetch(`${url.replace(/\/graphql$/, '')}/health/ready`).then(
            ({ ok }) => ok,
            () => false,
          ),
        );
        return (await Promise.all(responses)).every(Boolean);
      },
      60,
    );
  }, 120_000);
});
