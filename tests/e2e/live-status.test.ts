import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { listSpace, newCustomer } from '../support/customer.ts';
import { type LiveClient, liveClients } from '../support/live-clients.ts';
import { describeSystems, otherRouters, type System, until } from '../support/system.ts';

const STATUS = `subscription ($id: ID!, $after: Int) {
  bookingStatus(bookingId: $id, afterVersion: $after) {
    bookingId status version paymentStatus registrationStatus timeline { status }
    booking { id price { amount } payment { status } registration { status } space { name } }
  }
}`;
const MINE = `subscription { myBookingStatuses { bookingId status version timeline { status } } }`;
const LIFE = ['REQUESTED', 'PAID', 'REGISTERED', 'CANCELLING', 'CANCELLED'];

interface View {
  bookingId: string;
  status: string;
  version: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers and fail where they differ
  [field: string]: any;
}

const running: (() => void)[] = [];
afterEach(() => {
  for (const stop of running.splice(0)) stop();
});

/** One subscription, and what came of it. */
function watch(
  client: LiveClient,
  system: System,
  token: string | null,
  query: string,
  variables: Record<string, unknown> = {},
) {
  const seen: View[] = [];
  const errors: unknown[] = [];
  const watching = { seen, errors, isOver: false };
  const stop = client.subscribe(
    system,
    token,
    { query, variables },
    {
      next({ data, errors: some }) {
        errors.push(...(some ?? []));
        if (data) seen.push(data.bookingStatus ?? data.myBookingStatuses);
      },
      ended(error) {
        if (error) errors.push(...(Array.isArray(error) ? error : [error]));
        watching.isOver = true;
      },
    },
  );
  running.push(stop);
  return watching;
}

/** Watches a booking to its end, as the README says: whatever breaks, it resumes after what it knows. */
async function follow(client: LiveClient, system: System, token: string, id: string, seen: View[]) {
  const stopped = new AbortController();
  running.push(() => stopped.abort());
  for (let after = 0; seen.at(-1)?.status !== 'CANCELLED' && !stopped.signal.aborted; ) {
    const watching = watch(client, system, token, STATUS, { id, after });
    for (let taken = 0; !stopped.signal.aborted; await pause(20)) {
      seen.push(...watching.seen.slice(taken));
      taken = watching.seen.length;
      after = seen.at(-1)?.version ?? after;
      if (watching.isOver && taken === watching.seen.length) break;
    }
    await pause(100);
  }
}

/**
 * A whole life, nothing missed and nothing twice: one version for each event, each with at most one status
 * more. An event may overtake another on its way to mypage; its status is then in the timeline alone.
 */
function expectWholeLife(views: readonly View[]): void {
  expectNoGap(views);
  const lengths = views.map(({ timeline }) => timeline.length);
  expect(lengths[0]).toBe(1);
  for (const [at, length] of lengths.slice(1).entries()) {
    expect(length - Number(lengths[at])).toBeLessThanOrEqual(1);
  }
  expect(views.at(-1)?.timeline.map(({ status }: View) => status)).toEqual(LIFE);
  expect(views.at(-1)?.status).toBe('CANCELLED');
  const order = statusesOf(views).map((status) => LIFE.indexOf(status));
  expect(order).toEqual([...order].sort((a, b) => a - b));
}

function expectNoGap(views: readonly View[]): void {
  expect(versionsOf(views)).toEqual(counting(Number(views[0]?.version), views.length));
}

const statusesOf = (views: readonly View[]) =>
  views.map(({ status }) => status).filter((status, at, all) => status !== all[at - 1]);
const versionsOf = (views: readonly View[]) => views.map(({ version }) => version);
const counting = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n);
// Every request has a correlation id of its own.
const codesOf = (errors: readonly unknown[]) =>
  JSON.stringify(errors, readable).replaceAll(/"correlationId":"[\w-]+"/g, '"correlationId":"…"');
/** Errors of client libraries keep what was said in fields of their own. */
function readable(_key: string, value: unknown) {
  return value instanceof Error ? { ...value, message: value.message } : value;
}

describeSystems('live booking status', (system) => {
  describe.each(liveClients)('live booking status over $name', (client) => {
    test('a subscription shows every status of a booking in order, with fields of other contexts', async () => {
      const space = await listSpace(system);
      const kim = await newCustomer(system);
      const { booking } = await kim.request(space.id);
      const watching = watch(client, system, kim.token, STATUS, { id: booking.id, after: 0 });
      await until('it is registered', async () => watching.seen.at(-1)?.status === 'REGISTERED');
      await kim.cancel(booking.id);
      await until('the subscription ends by itself', async () => watching.isOver);
      expect(watching.errors).toEqual([]);
      expectWholeLife(watching.seen);
      expect(watching.seen.at(-1)).toMatchObject({
        bookingId: booking.id,
        status: 'CANCELLED',
        paymentStatus: 'REFUNDED',
        registrationStatus: 'CANCELLED',
        timeline: LIFE.map((status) => ({ status })),
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
      const settled = await kim.viewAt(booking.id, 'REGISTERED');
      const from = watch(client, system, kim.token, STATUS, { id: booking.id });
      await until('the present state', async () => from.seen.length > 0);
      const known = Number(from.seen[0]?.version);
      expect(known).toBeGreaterThanOrEqual(settled.version);
      const resumed = watch(client, system, kim.token, STATUS, { id: booking.id, after: known });
      await kim.cancel(booking.id);
      await until('both end', async () => from.isOver && resumed.isOver);
      expectNoGap(from.seen);
      expect(resumed.seen).toEqual(from.seen.slice(1));
      // There is nothing left to tell of it.
      const over = watch(client, system, kim.token, STATUS, {
        id: booking.id,
        after: from.seen.at(-1)?.version,
      });
      await until('it ends at once', async () => over.isOver);
      expect([over.seen, over.errors]).toEqual([[], []]);
    });

    test('a subscription to all own bookings shows every change after it began', async () => {
      const space = await listSpace(system);
      const [kim, lee] = [await newCustomer(system), await newCustomer(system)];
      const { booking: before } = await kim.request(space.id);
      // All that is told of it so far has arrived, whatever overtook what.
      await kim.viewMatching(before.id, {
        status: 'REGISTERED',
        paymentStatus: 'APPROVED',
        registrationStatus: 'REGISTERED',
        timeline: [{ status: 'REQUESTED' }, { status: 'PAID' }, { status: 'REGISTERED' }],
      });
      const { version: present } = await kim.view(before.id);
      const watching = watch(client, system, kim.token, MINE);
      // Only an event shows that the subscription has begun.
      const early: string[] = [];
      await until('it has begun', async () => {
        early.push((await kim.request(space.id)).booking.id);
        return until('an event', async () => watching.seen.length > 0, 2).catch(() => false);
      });
      for (const id of early) await kim.viewAt(id, 'REGISTERED');
      const [{ booking: first }, { booking: second }] = await Promise.all([
        kim.request(space.id),
        kim.request(space.id),
        lee.request(space.id),
      ]);
      const of = (id: string) => watching.seen.filter(({ bookingId }) => bookingId === id);
      const seenAmong = (ids: string[]) => ids.filter((id) => of(id).length > 0);
      for (const { id } of [first, second]) {
        await until('it is registered', async () => of(id).at(-1)?.status === 'REGISTERED');
        expectNoGap(of(id));
        expect(of(id)[0]?.timeline).toHaveLength(1);
      }
      await kim.cancel(before.id);
      await until('the older one too', async () => of(before.id).at(-1)?.status === 'CANCELLED');
      // The notification of the present version may have been on its way; no older one is shown.
      expect(of(before.id).every(({ version }) => version >= present)).toBe(true);
      const later = of(before.id).filter(({ version }) => version > present);
      expect(statusesOf(later)).toEqual(['CANCELLING', 'CANCELLED']);
      expect(new Set(watching.seen.map(({ bookingId }) => bookingId))).toEqual(
        new Set([before.id, first.id, second.id, ...seenAmong(early)]),
      );
      expect(watching.isOver).toBe(false);
    });

    test('a subscription to a booking of another customer fails like one to an unknown booking', async () => {
      const space = await listSpace(system);
      const [kim, lee] = [await newCustomer(system), await newCustomer(system)];
      const { booking } = await kim.request(space.id);
      const unknown = '018f0000-0000-7000-8000-000000000000';
      const asked = [booking.id, unknown].map((id) =>
        watch(client, system, lee.token, STATUS, { id }),
      );
      const malformed = watch(client, system, lee.token, STATUS, { id: 'four' });
      const anonymous = watch(client, system, null, STATUS, { id: booking.id });
      const all = [...asked, malformed, anonymous];
      await until('all are refused', async () =>
        all.every(({ errors, isOver }) => isOver || errors.length > 0),
      );
      expect(all.map(({ seen }) => seen)).toEqual([[], [], [], []]);
      expect(codesOf(asked[0]?.errors ?? [])).toContain('NOT_FOUND');
      expect(codesOf(asked[0]?.errors ?? [])).toBe(codesOf(asked[1]?.errors ?? []));
      expect(codesOf(malformed.errors)).toContain('BAD_USER_INPUT');
      expect(codesOf(anonymous.errors)).toContain('UNAUTHENTICATED');
    });
  });

  test('a subscription misses and repeats nothing, at whatever moment it begins', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const [client] = liveClients as [LiveClient];
    const lives = Array.from({ length: 6 }, async (_, index) => {
      const { booking } = await kim.request(space.id);
      const watchers = Array.from({ length: 8 }, async (_, nth) => {
        await pause(nth * 40 + index * 7);
        return watch(client, system, kim.token, STATUS, { id: booking.id });
      });
      await pause(60 * index);
      await kim.cancel(booking.id);
      for (const watching of await Promise.all(watchers)) {
        await until('it ends', async () => watching.isOver, 30);
        expect(watching.errors).toEqual([]);
        expectNoGap(watching.seen);
        expect(watching.seen.at(-1)?.status).toBe('CANCELLED');
      }
    });
    await Promise.all(lives);
  }, 60_000);

  test('a change of a booking reaches the subscribers of every router', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const routers = [system, ...otherRouters(system)];
    const { booking } = await kim.request(space.id);
    const watching = routers.flatMap((router) =>
      liveClients.map((client) =>
        watch(client, router, kim.token, STATUS, { id: booking.id, after: 0 }),
      ),
    );
    // A booking that is cancelled earlier is never registered.
    await kim.viewAt(booking.id, 'REGISTERED');
    await kim.cancel(booking.id);
    for (const one of watching) {
      await until('it ends', async () => one.isOver);
      expect(one.errors).toEqual([]);
      expectWholeLife(one.seen);
    }
  });

  test('every subscriber sees every status in order while services are killed', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    const kill = (name: string) => process.kill(Number(system.instance().services[name]?.pid), 9);
    const seen = liveClients.map((): View[] => []);
    const following = liveClients.map((client, index) =>
      follow(client, system, kim.token, booking.id, seen[index] as View[]),
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
    await Promise.all(following);
    for (const views of seen) expectWholeLife(views);
    // The next test finds all services where they were.
    await until(
      'all services run again',
      async () => {
        const { services } = system.instance();
        const answers = Object.values(services).map(({ url }) =>
          fetch(`${url.replace(/\/graphql$/, '')}/health/ready`).then(
            ({ ok }) => ok,
            () => false,
          ),
        );
        return (await Promise.all(answers)).every(Boolean);
      },
      60,
    );
  }, 120_000);
});
