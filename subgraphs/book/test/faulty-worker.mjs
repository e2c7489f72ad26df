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

/** @typedef {import('../src/ports.ts').BookingStore} BookingStore */
/** @typedef {import('../src/ports.ts').BookPorts} BookPorts */

const [databaseUrl, queueUrl, signal] = /** @type {[string, string, NodeJS.Signals]} */ (
  process.argv.slice(2)
);
// Not by static imports: the types are those of the sources, which Node.js cannot run.
/** @type {typeof import('../src/adapters/event-consumers.ts')} */
const { consumeEvents } = await importBuilt('event-consumers');
/** @type {typeof import('../src/adapters/prisma-booking-store.ts')} */
const { prismaBookingStore } = await importBuilt('prisma-booking-store');

const logger = createLogger('faulty-worker', 'silent');
const pool = openPostgres(databaseUrl, logger);
const transport = openTransport({ QUEUE_DATABASE_URL: queueUrl }, logger);
const store = prismaBookingStore(new PrismaClient({ adapter: new PrismaPg(pool) }), pool, {
  publish: () => {},
});

/** @type {BookingStore} */
const bookings = {
  ...store,
  async findForEvent(id, eventId) {
    const found = await store.findForEvent(id, eventId);
    if (!found.isProcessed) process.kill(process.pid, signal);
    return found;
  },
  async save(...args) {
    const outcome = await store.save(...args);
    process.send?.({ outcome });
    return outcome;
  },
};
// The other ports are those of events that are not sent to it.
const ports = /** @type {BookPorts} */ (
  /** @type {unknown} */ ({ bookings, clock: () => new Date(), newId: uuidv7, log: () => {} })
);
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
process.send?.({ ready: true });
process.on('disconnect', () => process.exit());

/** @param {string} adapter */
function importBuilt(adapter) {
  const built = '../../../dist/subgraphs/book/src/adapters';
  return import(`${built}/${adapter}.js`);
}
