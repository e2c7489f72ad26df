import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import Fastify, { type FastifyInstance } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { spaceEvents } from '#contracts/space.ts';
import { projectFile } from '#platform/config/project.ts';
import { statement } from '#platform/database/postgres.ts';
import { openConsumer } from '#platform/messaging/consumer.ts';
import { postgresDeadLetters } from '#platform/messaging/dead-letters.ts';
import { newEvent } from '#platform/messaging/events.ts';
import { postgresInbox } from '#platform/messaging/inbox.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import { INBOX_PATH } from '#platform/messaging/peer-inboxes.ts';
import { openTransport, type Transport } from '#platform/messaging/queue.ts';
import { startRelay } from '#platform/messaging/relay.ts';
import { createMetrics } from '#platform/observability/metrics.ts';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { createDatabase, silent, type TestDatabase } from '../../../tests/support/database.ts';
import { eventually } from '../../../tests/support/system.ts';
import { consumeEvents } from '../src/adapters/event-consumers.ts';
import { prismaBookingStore } from '../src/adapters/prisma-booking-store.ts';
import type { BookingStore, BookPorts } from '../src/ports.ts';
import { aBooking, legal, MANY_HOLDS, NOW } from './a-booking.ts';

let database: TestDatabase;
let spaceDatabase: TestDatabase;
let queueDatabase: TestDatabase;
let prisma: PrismaClient;
let transport: Transport;
let bookings: BookingStore;
let inboxes: FastifyInstance;
let inboxUrl: string;
const workers: ChildProcess[] = [];

beforeAll(async () => {
  [database, spaceDatabase, queueDatabase] = await Promise.all([
    createDatabase('book'),
    createDatabase('space'),
    createDatabase(),
  ]);
  prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  transport = openTransport({ QUEUE_DATABASE_URL: queueDatabase.url }, silent);
  bookings = prismaBookingStore(prisma, database.pool, { publish: () => {} });
  inboxes = Fastify({ forceCloseConnections: true });
  inboxes.post<{ Body: { ids: string[] } }>(INBOX_PATH, async ({ body }) => ({
    recorded: await postgresInbox(database.pool).findRecorded(body.ids),
  }));
  inboxUrl = await inboxes.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await inboxes?.close();
  await transport?.stopReceiving();
  await transport?.close();
  await prisma?.$disconnect();
  await Promise.all([database?.drop(), spaceDatabase?.drop(), queueDatabase?.drop()]);
});

/** A booking that is paid, and the event that its use is registered, which space has committed. */
async function paidAndRegistered() {
  const by = { userId: 'chulsoo', role: 'customer' } as const;
  const requested = await bookings.insert(aBooking({ spaceId: uuidv7() }), MANY_HOLDS, by);
  if (typeof requested === 'string') throw new Error(requested);
  const paid = legal(requested.approvePayment());
  await bookings.save(requested, paid);
  const { id } = paid.state;
  const event = newEvent('Registered', spaceEvents.Registered, {
    aggregateId: uuidv7(),
    version: 1,
    occurredAt: NOW,
    payload: {
      registrationId: uuidv7(),
      bookingId: id,
      paymentId: uuidv7(),
      status: 'REGISTERED',
      reason: null,
    },
  });
  event.awaiting = ['book'];
  await insertEvents(spaceDatabase.pool, JSON.stringify([event]));
  return { id, event };
}

const insertEvents = statement('test-insert', insertOutbox('$1'));
const readStatus = async (id: string) => (await bookings.find(id))?.state.status;
const readEvents = async (id: string) =>
  (
    await database.query<{ type: string; status: string }>(
      `SELECT type, payload->>'status' AS status FROM outbox WHERE aggregate_id = $1
        ORDER BY version`,
      [id],
    )
  ).map(({ status }) => status);

/** Starts a worker to which the signal comes as soon as it has read a booking. */
async function startWorker(signal: 'SIGSTOP' | 'SIGKILL') {
  const messages: { ready?: true; outcome?: string }[] = [];
  const file = projectFile('subgraphs/book/test/faulty-worker.mjs');
  const child = fork(file, [database.url, queueDatabase.url, signal], {
    execArgv: [],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  workers.push(child);
  child.on('message', (message) => messages.push(message as (typeof messages)[number]));
  await eventually(async () => expect(messages).toEqual([{ ready: true }]));
  return { child, messages };
}

/** Starts a worker in this process, to which nothing happens. */
async function startSoundWorker(): Promise<void> {
  const consumer = openConsumer({
    name: 'book',
    transport,
    inbox: postgresInbox(database.pool),
    deadLetters: postgresDeadLetters(database.pool),
    parkAfter: 10,
    metrics: createMetrics('test'),
    logger: silent,
  });
  const ports = { bookings, clock: () => NOW, log: () => {} } as unknown as BookPorts;
  await consumeEvents(consumer, ports, silent);
}

const isStopped = (pid: number | undefined) =>
  /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

const onLinux = process.platform === 'linux' ? test : test.skip;

test('an event whose worker is killed three times has one effect', async () => {
  const { id, event } = await paidAndRegistered();
  const relay = startRelay({
    pool: spaceDatabase.pool,
    transport,
    authorize: async () => 'Bearer test',
    inboxUrls: { book: inboxUrl },
    publisher: 'space',
    contexts: {
      space: { publishes: spaceEvents, consumes: [] },
      book: { publishes: {}, consumes: ['Registered'] },
    },
    metrics: createMetrics('test'),
    logger: silent,
  });
  try {
    relay.publish([event]);
    for (let death = 1; death <= 3; death += 1) {
      const { child } = await startWorker('SIGKILL');
      await eventually(async () => expect(child.signalCode).toBe('SIGKILL'), 30);
      expect(await readStatus(id)).toBe('PAID');
    }
    await startSoundWorker();
    await eventually(async () => expect(await readStatus(id)).toBe('REGISTERED'), 60);
    await eventually(async () => {
      const rows = await spaceDatabase.query('SELECT awaiting FROM outbox WHERE id = $1', [
        event.id,
      ]);
      expect(rows).toEqual([{ awaiting: [] }]);
    }, 60);
    expect(await readEvents(id)).toEqual(['REQUESTED', 'PAID', 'REGISTERED']);
  } finally {
    await relay.stop();
    await transport.stopReceiving();
  }
}, 180_000);

onLinux(
  'a worker that was stopped for longer than its lock cannot write when it wakes',
  async () => {
    const { id, event } = await paidAndRegistered();
    const { child, messages } = await startWorker('SIGSTOP');
    await transport.send([{ queue: 'registration.book', event, attempt: 1 }]);
    await eventually(async () => expect(isStopped(child.pid)).toBe(true));

    // The lock runs out: the job is another worker's now.
    await startSoundWorker();
    await eventually(async () => expect(await readStatus(id)).toBe('REGISTERED'), 40);

    const registered = await bookings.find(id);
    if (!registered) throw new Error('the booking is gone');
    await bookings.save(registered, legal(registered.cancel('customer', NOW)));
    child.kill('SIGCONT');
    await eventually(async () => expect(messages.at(-1)).toEqual({ outcome: 'stale' }));
    expect(await readStatus(id)).toBe('CANCELLING');
    expect(await readEvents(id)).toEqual(['REQUESTED', 'PAID', 'REGISTERED', 'CANCELLING']);
  },
  80_000,
);
