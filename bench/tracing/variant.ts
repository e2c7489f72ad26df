import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { processCpuMs } from '../measurement/cpu-time.ts';
import { type RouterClient, routerClient } from '../system/router-client.ts';
import { type FreeSlot, listSpaces, slotDealer } from '../system/spaces.ts';
import type { System } from '../system/system.ts';

const CLIENTS = 8;
const READ_PAGE = `query MyPage {
  myPage { bookings(first: 10) { edges { node { bookingId status spaceName version } } } }
}`;
const REQUEST = `mutation Request($input: RequestBookingInput!) {
  requestBooking(input: $input) { ... on RequestBookingSuccess { booking { id } } }
}`;

/** CPU time of all services of a system, for one request. */
export interface Cost {
  bookingMs: number;
  readMs: number;
}

/** One of the systems that are compared. */
export interface Variant {
  /** The processes of its services. */
  pids: readonly number[];
  measure(bookings: number, reads: number): Promise<Cost>;
  close(): Promise<void>;
}

export async function openVariant(system: System): Promise<Variant> {
  const router = routerClient(system.url, CLIENTS);
  const nextSlot = slotDealer(await listSpaces(router, system.postgresUrl('book')));
  const token = await router.tokenFor('reader', 'customer');
  const book = new pg.Client(system.postgresUrl('book'));
  // Its end must not hide the error that has ended the system.
  book.on('error', () => {});
  await book.connect();
  const pids = Object.values(system.instance.services).map(({ pid }) => pid ?? 0);
  const cpuMs = () => pids.reduce((sum, pid) => sum + processCpuMs(pid), 0);

  /** The CPU time that `count` times `work` takes, for each, until `end`. */
  async function cost(count: number, work: () => Promise<unknown>, end = async () => {}) {
    const before = cpuMs();
    let left = count;
    await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        while (left > 0) {
          left -= 1;
          await work();
        }
      }),
    );
    await end();
    return (cpuMs() - before) / count;
  }

  /** A booking costs until its last event is acknowledged. */
  async function untilRegistered(): Promise<void> {
    const pending = `SELECT (SELECT count(*) FROM booking WHERE status <> 'REGISTERED')
                          + (SELECT count(*) FROM outbox WHERE awaiting <> '{}') AS left`;
    while (Number((await book.query(pending)).rows[0].left) > 0) await wait(50);
  }

  return {
    pids,
    measure: async (bookings, reads) => ({
      bookingMs: await cost(
        bookings,
        () => requestBooking(router, token, nextSlot()),
        untilRegistered,
      ),
      readMs: await cost(reads, () => router.request(READ_PAGE, {}, token)),
    }),
    async close() {
      await book.end();
      await router.close();
    },
  };
}

function requestBooking(router: RouterClient, token: string, slot: FreeSlot): Promise<unknown> {
  const { spaceId, startAt, endAt } = slot;
  const input = {
    idempotencyKey: randomUUID(),
    spaceId,
    slot: { startAt: startAt.toISOString(), endAt: endAt.toISOString() },
    paymentMethod: 'pm_ok',
  };
  return router.request(REQUEST, { input }, token);
}
