import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import { spaceEvents } from '#contracts/space.ts';
import { openConsumer } from '#platform/consume.ts';
import { postgresDeadLetters } from '#platform/dead-letters.ts';
import { newEvent } from '#platform/events.ts';
import { postgresInbox } from '#platform/inbox.ts';
import { createMetrics } from '#platform/metrics.ts';
import { projectFile } from '#platform/project.ts';
import { openTransport, type Transport } from '#platform/queue.ts';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { createDatabase, silent, type TestDatabase } from '../../../tests/support/database.ts';
import { eventually } from '../../../tests/support/system.ts';
import { consumeEvents } from '../src/adapters/event-consumers.ts';
import { prismaBookingStore } from '../src/adapters/prisma-booking-store.ts';
import type { BookingStore, BookPorts } from '../src/ports.ts';
import { aBooking, legal, NOW } from './a-booking.ts';

let database: TestDatabase;
let queueDatabase: TestDatabase;
let prisma: PrismaClient;
let transport: Transport;
let bookings: BookingStore;
let sleeper: ChildProcess | undefined;

beforeAll(async () => {
  [database, queueDatabase] = await Promise.all([createDatabase('book'), createDatabase()]);
  prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  transport = await openTransport({ QUEUE_DATABASE_URL: queueDatabase.url }, silent);
  bookings = prismaBookingStore(prisma, database.pool, { publish: () => {} });
});

afterAll(async () => {
  sleeper?.kill('SIGKILL');
  await transport?.stopReceiving();
  await transport?.close();
  await prisma?.$disconnect();
  await Promise.all([database?.drop(), queueDatabase?.drop()]);
});

const isStopped = (pid: number | undefined) =>
  /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux(
  'a worker that was stopped for longer than its lock cannot write when it wakes',
  async () => {
    const requested = aBooking();
    await bookings.request(requested, NOW);
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

    const told: { ready?: true; outcome?: string }[] = [];
    sleeper = fork(
      projectFile('subgraphs/book/test/stopped-worker.mjs'),
      [database.url, queueDatabase.url],
      { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' } },
    );
    sleeper.on('message', (message) => told.push(message as (typeof told)[number]));
    await eventually(async () => expect(told).toEqual([{ ready: true }]));
    await transport.send([{ queue: 'registration.book', event, attempt: 1 }]);
    await eventually(async () => expect(isStopped(sleeper?.pid)).toBe(true));

    // The lock runs out: the job is another worker's now.
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
    const statusOf = async () => (await bookings.find(id))?.state.status;
    await eventually(async () => expect(await statusOf()).toBe('REGISTERED'), 40);

    const registered = await bookings.find(id);
    if (!registered) throw new Error('the booking is gone');
    await bookings.save(registered, legal(registered.cancel('customer', NOW)));
    sleeper.kill('SIGCONT');
    await eventually(async () => expect(told.at(-1)).toEqual({ outcome: 'stale' }));
    expect(await statusOf()).toBe('CANCELLING');
    const written = await database.query(
      'SELECT type FROM outbox WHERE aggregate_id = $1 ORDER BY version',
      [id],
    );
    expect(written.map(({ type }) => type)).toEqual([
      'Booked',
      'BookingStatusChanged',
      'BookingStatusChanged',
      'BookingCancelled',
    ]);
  },
  80_000,
);
