// A worker of book in its own process that sends itself a signal (SIGSTOP, SIGKILL) between reading and
// writing a booking. If it continues, it sends the outcome of the write to its parent.
import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import { openPostgres } from '#platform/database/postgres.ts';
import { openConsumer } from '#platform/messaging/consumer.ts';
import { postgresDeadLetters } from '#platform/messaging/dead-letters.ts';
import { postgresInbox } from '#platform/messaging/inbox.ts';
import { openTransport } from '#platform/messaging/queue.ts';
import { createLogger } from '#platform/observability/logger.ts';
import { createMetrics } from '#platform/observability/metrics.ts';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { consumeEvents } from '../../../dist/subgraphs/book/src/adapters/event-consumers.js';
import { prismaBookingStore } from '../../../dist/subgraphs/book/src/adapters/prisma-booking-store.js';

const [databaseUrl, queueUrl, signal] = process.argv.slice(2);
const logger = createLogger('faulty-worker', 'silent');
const pool = openPostgres(databaseUrl, logger);
const transport = openTransport({ QUEUE_DATABASE_URL: queueUrl }, logger);
const store = prismaBookingStore(new PrismaClient({ adapter: new PrismaPg(pool) }), pool, {
  publish: () => {},
});

const bookings = {
  ...store,
  async findForEvent(id, eventId) {
    const found = await store.findForEvent(id, eventId);
    if (!found.isProcessed) process.kill(process.pid, signal);
    return found;
  },
  async save(...args) {
    const outcome = await store.save(...args);
    process.send({ outcome });
    return outcome;
  },
};
const ports = { bookings, clock: () => new Date(), newId: uuidv7, log: () => {} };
const consumer = openConsumer({
  name: 'book',
  transport,
  inbox: postgresInbox(pool),
  deadLetters: postgresDeadLetters(pool),
  parkAfter: 10,
  metrics: createMetrics('faulty-worker'),
  logger,
});
await consumeEvents(consumer, ports, logger);
process.send({ ready: true });
process.on('disconnect', () => process.exit());
