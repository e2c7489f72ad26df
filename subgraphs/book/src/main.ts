import { setTimeout as wait } from 'node:timers/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import { CALENDAR_NOTIFICATIONS_CHANNEL } from '#contracts/calendars.ts';
import type { Pool } from '#platform/database/postgres.ts';
import { withStatementSpans } from '#platform/database/statement-spans.ts';
import { repeat } from '#platform/lifecycle/lifecycle.ts';
import { runPublishingContext } from '#platform/lifecycle/publishing-context.ts';
import { openPublisher } from '#platform/messaging/notifications.ts';
import { storedEvents } from '#platform/messaging/stored-events.ts';
import { correlationId } from '#platform/observability/correlation.ts';
import { inLateSpan } from '#platform/tracing/tracing.ts';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { blockResolvers } from './adapters/block-resolvers.ts';
import { countingBookings } from './adapters/booking-counters.ts';
import { bookingMetrics } from './adapters/booking-metrics.ts';
import { bookingSearch } from './adapters/booking-search.ts';
import { serveCalendars } from './adapters/calendar-endpoint.ts';
import { calendarNotifications } from './adapters/calendar-notifications.ts';
import { contextRecordsClient } from './adapters/context-records-client.ts';
import { bookErasure, erasureStart } from './adapters/customer-erasure.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { gatheredCalendars } from './adapters/gathered-calendars.ts';
import { holidayCalendar } from './adapters/holiday-calendar.ts';
import { holidayResolvers } from './adapters/holiday-resolvers.ts';
import { lostBookings } from './adapters/lost-bookings.ts';
import { overdueBookings } from './adapters/overdue-bookings.ts';
import { paymentClient } from './adapters/payment-client.ts';
import { postgresBlockStore } from './adapters/postgres-block-store.ts';
import { postgresCalendars } from './adapters/postgres-calendars.ts';
import { postgresChangeStore } from './adapters/postgres-change-store.ts';
import { postgresReconciliationStore } from './adapters/postgres-reconciliation-store.ts';
import { prismaBookingStore } from './adapters/prisma-booking-store.ts';
import { prismaCatalogue } from './adapters/prisma-catalogue.ts';
import { startReconciliation } from './adapters/reconciliation.ts';
import { reconciliationResolvers } from './adapters/reconciliation-resolvers.ts';
import { rescheduleResolvers } from './adapters/reschedule-resolvers.ts';
import { resolvers } from './adapters/resolvers.ts';
import { sagaInquiries } from './adapters/saga-inquiries.ts';
import { spaceResolvers } from './adapters/space-resolvers.ts';
import { storedNotifications } from './adapters/stored-notifications.ts';
import { RETRY_PERIOD_MS, retryDuePayments } from './application/booking-saga.ts';
import { CHANGE_PERIOD_MS, retryDueChanges } from './application/change-saga.ts';
import { CHECK_PERIOD_MS, checkOverdue } from './application/check-overdue.ts';
import { bookConfig } from './config.ts';
import type { BookPorts } from './ports.ts';

/** Of the connections for requests: the others are for bookings. */
const MAX_CALENDAR_READS = 2;

const book = {
  name: 'book',
  title: 'Book',
  configure: bookConfig,
  databaseUrl: ({ BOOK_DATABASE_URL }: ReturnType<typeof bookConfig>) => BOOK_DATABASE_URL,
} as const;

await runPublishingContext(book, ({ config, logger, metrics, authorize, database, ...base }) => {
  const { requests, workers } = database;
  const urls = { payment: config.PAYMENT_URL, space: config.SPACE_URL, mypage: config.MYPAGE_URL };
  const payments = paymentClient(
    urls.payment,
    authorize,
    config.PAYMENT_TIMEOUT_MS,
    metrics,
    logger,
  );
  const inquiries = sagaInquiries(urls, authorize);
  const records = contextRecordsClient(
    urls,
    storedEvents(workers),
    authorize,
    config.RECONCILIATION_DELAY_SECONDS * 1_000,
  );
  bookingMetrics(workers, metrics);
  const relay = countingBookings(base.relay, metrics);

  const publisher = openPublisher(config, CALENDAR_NOTIFICATIONS_CHANNEL, logger, metrics);
  const calendars = calendarNotifications(publisher);
  const stored = storedNotifications();
  const portsOn = (pool: Pool): BookPorts => {
    const prisma = new PrismaClient({
      adapter: withStatementSpans(new PrismaPg(pool), 'postgresql'),
    });
    return calendars.notifying({
      bookings: prismaBookingStore(prisma, pool, relay),
      changes: postgresChangeStore(pool, relay),
      blocks: postgresBlockStore(pool, relay),
      catalogue: prismaCatalogue(prisma, pool, stored),
      holidays: holidayCalendar(pool),
      search: bookingSearch(pool),
      overdue: overdueBookings(pool),
      inquiries,
      payments,
      clock: () => new Date(),
      wait,
      newId: uuidv7,
      correlationId,
      resume: ({ state }, work) => inLateSpan('resume booking', state.correlationId, work),
      holdSeconds: config.HOLD_SECONDS,
      maxUnpaidHolds: config.MAX_UNPAID_HOLDS,
      deferredPerSecond: config.DEFERRED_PAYMENTS_PER_SECOND,
      log: (message, fields) => logger.info(fields, message),
    });
  };
  const requestPorts = portsOn(requests);
  const workerPorts = portsOn(workers);

  return {
    resolvers: [
      resolvers(requestPorts),
      rescheduleResolvers(requestPorts),
      spaceResolvers(requestPorts),
      blockResolvers(requestPorts),
      holidayResolvers(requestPorts),
      erasureStart(requests),
      reconciliationResolvers({
        ...requestPorts,
        records,
        store: postgresReconciliationStore(requests, config.RECONCILIATION_SECONDS),
        lost: lostBookings(requests, relay),
      }),
    ],
    erasure: bookErasure(requests),
    serve: serveCalendars(
      gatheredCalendars(postgresCalendars(requests), MAX_CALENDAR_READS),
      metrics,
    ),
    consume: (consumer) => consumeEvents(consumer, workerPorts, logger),
    startJobs: () => ({
      'unpaid bookings': repeat(logger, 'paying or expiring unpaid bookings', RETRY_PERIOD_MS, () =>
        retryDuePayments(workerPorts),
      ),
      'pending changes': repeat(
        logger,
        'paying or releasing pending changes',
        CHANGE_PERIOD_MS,
        () => retryDueChanges(workerPorts),
      ),
      'overdue bookings': repeat(logger, 'checking overdue bookings', CHECK_PERIOD_MS, () =>
        checkOverdue(workerPorts),
      ),
      reconciliation: startReconciliation({
        store: postgresReconciliationStore(workers, config.RECONCILIATION_SECONDS),
        records,
        metrics,
        logger,
      }),
    }),
    stops: {
      'calendar notifications'() {
        calendars.stop();
        return publisher.close();
      },
      'payment client': () => payments.close(),
      inquiries: () => inquiries.close(),
      'records of the other contexts': () => records.close(),
    },
  };
});
