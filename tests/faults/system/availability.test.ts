import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Pool as HttpPool } from 'undici';
import { eventually, until } from '../../support/system.ts';
import { type ChaosSystem, type Profile, startSystem } from './chaos-system.ts';

const READERS = 8;
const SPACES_QUERY = '{ spaces(first: 1) { edges { node { id name } } } }';
const LIST_SPACE = `mutation ($input: ListSpaceInput!) { listSpace(input: $input) {
  __typename ... on ListSpaceSuccess { space { id } } } }`;
const REQUEST_BOOKING = `mutation ($input: RequestBookingInput!) { requestBooking(input: $input) {
  __typename ... on RequestBookingSuccess { booking { id status } } ... on Problem { message } } }`;
const MY_PAGE_QUERY = '{ myPage { bookings(first: 20) { edges { node { bookingId status } } } } }';

const profiles: Profile[] = process.env.TEST_REDIS_URL ? ['embedded', 'servers'] : ['embedded'];

describe.each(profiles)('availability (%s)', (profile) => {
  let system: ChaosSystem;
  let http: HttpPool;
  let home: string;
  const stopSteps: (() => Promise<void>)[] = [];
  let bookedHours = 0;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'spacerent-availability-'));
    system = await startSystem(profile, {
      path: home,
      log: () => {},
      onStop: (step) => stopSteps.push(step),
    });
    http = new HttpPool(system.routerUrl, { connections: 32 });
  }, 120_000);

  afterAll(async () => {
    await http?.destroy();
    for (const step of stopSteps.reverse()) await step();
    rmSync(home, { recursive: true, force: true });
  }, 120_000);

  // biome-ignore lint/suspicious/noExplicitAny: tests read responses without types and fail where they differ
  async function execute(query: string, variables: object = {}, role = 'customer'): Promise<any> {
    const response = await http.request({
      method: 'POST',
      path: '/graphql',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await system.tokenFor('kim', role)}`,
      },
      body: JSON.stringify({ query, variables }),
    });
    const text = await response.body.text();
    const { data, errors } = JSON.parse(text);
    if (response.statusCode !== 200 || errors) throw new Error(text);
    return data;
  }

  async function listSpace(): Promise<string> {
    const input = { name: `room ${randomUUID()}`, capacity: 4, hourlyRate: 10_000 };
    return (await execute(LIST_SPACE, { input }, 'host')).listSpace.space.id;
  }

  /** Books an hour that no other request wants. */
  async function book(spaceId: string): Promise<{ id: string; status: string }> {
    bookedHours += 1;
    const startAt = Math.ceil(Date.now() / 3_600_000) * 3_600_000 + (500 + bookedHours) * 3_600_000;
    const slot = {
      startAt: new Date(startAt).toISOString(),
      endAt: new Date(startAt + 3_600_000).toISOString(),
    };
    const input = { idempotencyKey: randomUUID(), spaceId, slot, paymentMethod: 'pm_ok' };
    const { requestBooking } = await execute(REQUEST_BOOKING, { input });
    if (!requestBooking.booking) throw new Error(JSON.stringify(requestBooking));
    return requestBooking.booking;
  }

  const expectRegistered = (id: string) =>
    eventually(async () => {
      const { edges } = (await execute(MY_PAGE_QUERY)).myPage.bookings;
      expect(edges).toContainEqual({ node: { bookingId: id, status: 'REGISTERED' } });
    }, 60);

  async function listBookableSpace(): Promise<string> {
    const spaceId = await listSpace();
    // The space reaches book's catalogue by an event.
    await until('the space is in the catalogue of book', () => book(spaceId).catch(() => null), 30);
    return spaceId;
  }

  test('no query fails while the copies of its service are restarted one after the other', async () => {
    await listSpace();
    const failures: string[] = [];
    let responses = 0;
    let isOver = false;
    const readers = Array.from({ length: READERS }, async () => {
      while (!isOver) {
        await execute(SPACES_QUERY).then(
          () => {
            responses += 1;
          },
          (error: Error) => failures.push(error.message),
        );
      }
    });
    for (const copy of system.processesOf('space')) {
      await copy.stop();
      const before = responses;
      await until('the other copy responds', async () => responses > before + 50);
      await copy.start();
    }
    isOver = true;
    await Promise.all(readers);
    expect(failures).toEqual([]);
  }, 90_000);

  test('services stay ready and accept bookings while the queue is unreachable, and register them afterwards', async () => {
    const spaceId = await listBookableSpace();
    for (const { queueProxy } of system.processes) queueProxy.refuse();
    const notReady: string[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      for (const each of system.processes) if (!(await each.isReady())) notReady.push(each.name);
      await pause(100);
    }
    expect(notReady).toEqual([]);
    const booking = await book(spaceId);
    expect(booking.status).toBe('PAID');
    for (const { queueProxy } of system.processes) queueProxy.heal();
    await expectRegistered(booking.id);
  }, 120_000);

  test('services start and accept bookings without the queue, and register them once it is reachable', async () => {
    const spaceId = await listBookableSpace();
    await Promise.all(system.processes.map((each) => each.stop()));
    for (const { queueProxy } of system.processes) queueProxy.refuse();
    await Promise.all(system.processes.map((each) => each.start()));
    const booking = await book(spaceId);
    expect(booking.status).toBe('PAID');
    for (const each of system.processes) expect(await each.isReady()).toBe(true);
    for (const { queueProxy } of system.processes) queueProxy.heal();
    await expectRegistered(booking.id);
  }, 120_000);
});
