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
const SPACES = '{ spaces(first: 1) { edges { node { id name } } } }';
const LIST_SPACE = `mutation ($input: ListSpaceInput!) { listSpace(input: $input) {
  __typename ... on ListSpaceSuccess { space { id } } } }`;
const REQUEST_BOOKING = `mutation ($input: RequestBookingInput!) { requestBooking(input: $input) {
  __typename ... on RequestBookingSuccess { booking { id status } } ... on Problem { message } } }`;
const VIEWS = '{ myPage { bookings(first: 20) { edges { node { bookingId status } } } } }';

const profiles: Profile[] = process.env.TEST_REDIS_URL ? ['embedded', 'servers'] : ['embedded'];

describe.each(profiles)('a system with two copies of its services (%s)', (profile) => {
  let system: ChaosSystem;
  let http: HttpPool;
  let home: string;
  const steps: (() => Promise<void>)[] = [];
  let hours = 0;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'spacerent-availability-'));
    system = await startSystem(
      profile,
      home,
      () => {},
      (step) => steps.push(step),
    );
    http = new HttpPool(system.routerUrl, { connections: 32 });
  }, 120_000);

  afterAll(async () => {
    await http?.destroy();
    for (const step of steps.reverse()) await step();
    rmSync(home, { recursive: true, force: true });
  }, 120_000);

  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers and fail where they differ
  async function ask(query: string, variables: object = {}, role = 'customer'): Promise<any> {
    const response = await http.request({
      method: 'POST',
      path: '/graphql',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await system.tokenOf('kim', role)}`,
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
    return (await ask(LIST_SPACE, { input }, 'host')).listSpace.space.id;
  }

  /** Books an hour that nobody else asks for; resolves with the booking. */
  async function book(spaceId: string): Promise<{ id: string; status: string }> {
    hours += 1;
    const startAt = Math.ceil(Date.now() / 3_600_000) * 3_600_000 + (500 + hours) * 3_600_000;
    const slot = {
      startAt: new Date(startAt).toISOString(),
      endAt: new Date(startAt + 3_600_000).toISOString(),
    };
    const input = { idempotencyKey: randomUUID(), spaceId, slot, paymentMethod: 'pm_ok' };
    const { requestBooking } = await ask(REQUEST_BOOKING, { input });
    if (!requestBooking.booking) throw new Error(JSON.stringify(requestBooking));
    return requestBooking.booking;
  }

  const untilRegistered = (id: string) =>
    eventually(async () => {
      const { edges } = (await ask(VIEWS)).myPage.bookings;
      expect(edges).toContainEqual({ node: { bookingId: id, status: 'REGISTERED' } });
    }, 60);

  async function bookableSpace(): Promise<string> {
    const spaceId = await listSpace();
    // Book learns of it by an event.
    await until('book knows the space', () => book(spaceId).catch(() => null), 30);
    return spaceId;
  }

  test('fails no query while the services that answer it are restarted, one after the other', async () => {
    await listSpace();
    const failures: string[] = [];
    let answered = 0;
    let isOver = false;
    const readers = Array.from({ length: READERS }, async () => {
      while (!isOver) {
        await ask(SPACES).then(
          () => {
            answered += 1;
          },
          (error: Error) => failures.push(error.message),
        );
      }
    });
    for (const copy of system.every('space')) {
      await copy.stop();
      const before = answered;
      await until('the other one answers', async () => answered > before + 50);
      await copy.start();
    }
    isOver = true;
    await Promise.all(readers);
    expect(failures).toEqual([]);
  }, 90_000);

  test('stays ready, books and registers later when the queue goes away', async () => {
    const spaceId = await bookableSpace();
    for (const { queue } of system.processes) queue.refuse();
    const notReady: string[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      for (const each of system.processes) if (!(await each.isReady())) notReady.push(each.name);
      await pause(100);
    }
    expect(notReady).toEqual([]);
    const booking = await book(spaceId);
    expect(booking.status).toBe('PAID');
    for (const { queue } of system.processes) queue.heal();
    await untilRegistered(booking.id);
  }, 120_000);

  test('starts without the queue, books, and registers when the queue comes', async () => {
    const spaceId = await bookableSpace();
    await Promise.all(system.processes.map((each) => each.stop()));
    for (const { queue } of system.processes) queue.refuse();
    await Promise.all(system.processes.map((each) => each.start()));
    const booking = await book(spaceId);
    expect(booking.status).toBe('PAID');
    for (const each of system.processes) expect(await each.isReady()).toBe(true);
    for (const { queue } of system.processes) queue.heal();
    await untilRegistered(booking.id);
  }, 120_000);
});
