import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request } from 'undici';
import { bookingEvents } from '#contracts/book.ts';
import { internalRequestSigner } from '#platform/auth/internal-requests.ts';
import { newEvent, queueName } from '#platform/messaging/events.ts';
import { openTransport, type Transport } from '#platform/messaging/queue.ts';
import { createDatabase, silent, type TestDatabase } from '../../../tests/support/database.ts';
import {
  internalKeys,
  type ServiceProcess,
  startServiceProcess,
} from '../../../tests/support/service-process.ts';
import { until } from '../../../tests/support/system.ts';

/** More requests or events than either pool has connections. */
const EXCESS = 20;

let spaces: TestDatabase;
let queue: TestDatabase;
let transport: Transport;
let space: ServiceProcess;

beforeAll(async () => {
  [spaces, queue] = await Promise.all([createDatabase('space'), createDatabase()]);
  transport = openTransport({ QUEUE_DATABASE_URL: queue.url }, silent);
  space = await startServiceProcess('space', {
    SPACE_DATABASE_URL: spaces.url,
    QUEUE_DATABASE_URL: queue.url,
    DRAIN_SECONDS: '0',
  });
}, 60_000);

afterAll(async () => {
  await space?.end();
  await transport?.close();
  await Promise.all([spaces?.drop(), queue?.drop()]);
}, 90_000);

async function readSpaces(): Promise<unknown> {
  const { body } = await request(`${space.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: await internalRequestSigner('router', [internalKeys])('space'),
    },
    body: JSON.stringify({ query: '{ spaces(first: 1) { edges { node { id } } } }' }),
  });
  return body.json();
}

/** Publishes that `count` bookings were declined. */
async function declineBookings(count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => {
    const bookingId = randomUUID();
    const { BookingReleased } = bookingEvents;
    const event = newEvent('BookingReleased', BookingReleased, {
      aggregateId: bookingId,
      version: 2,
      occurredAt: new Date(),
      payload: {
        bookingId,
        customerId: 'kim',
        spaceId: randomUUID(),
        spaceName: 'room',
        slot: {
          startAt: new Date('2031-01-01T00:00:00.000Z'),
          endAt: new Date('2031-01-01T01:00:00.000Z'),
        },
        price: { amount: 10_000, currency: 'KRW' },
        status: 'DECLINED',
        refund: { amount: 0, currency: 'KRW' },
      },
    });
    return { queue: queueName(BookingReleased.topic, 'space'), event, attempt: 1 };
  });
  // One by one: a full batch would occupy one handler alone.
  await Promise.all(messages.map((message) => transport.send([message])));
}

const countWaiting = async () => {
  const [row] = await spaces.query<{ waiting: number }>(
    `SELECT count(*)::int AS waiting FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return row?.waiting ?? 0;
};

const countProcessed = async () => (await spaces.query('SELECT FROM inbox')).length;

test('space responds to requests while all connections of its workers are blocked', async () => {
  await transport.ping();
  await spaces.whileLocked('LOCK TABLE inbox, outbox IN ACCESS EXCLUSIVE MODE', async () => {
    await declineBookings(EXCESS);
    await until('workers blocked', async () => (await countWaiting()) >= 5);
    for (const response of await Promise.all(Array.from({ length: EXCESS }, readSpaces))) {
      expect(response).toEqual({ data: { spaces: { edges: [] } } });
    }
    expect(await space.readiness()).toBe(200);
  });
  await until('events processed', async () => (await countProcessed()) === EXCESS, 30);
}, 60_000);

test('space is ready and processes events while all connections of its requests are blocked', async () => {
  const before = await countProcessed();
  let responses: Promise<unknown>[] = [];
  await spaces.whileLocked('LOCK TABLE space IN ACCESS EXCLUSIVE MODE', async () => {
    responses = Array.from({ length: EXCESS }, readSpaces);
    await until('requests blocked', async () => (await countWaiting()) >= 8);
    expect(await space.readiness()).toBe(200);
    await declineBookings(1);
    await until('the event processed', async () => (await countProcessed()) > before);
  });
  await Promise.all(responses);
}, 60_000);
