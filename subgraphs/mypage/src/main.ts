import { setTimeout as wait } from 'node:timers/promises';
import { VIEW_NOTIFICATIONS_CHANNEL } from '#contracts/mypage.ts';
import { runContext } from '#platform/lifecycle/context.ts';
import { openPublisher } from '#platform/messaging/notifications.ts';
import { serveBookingRecords } from '#platform/operator/booking-records.ts';
import { erasureResolvers } from '#platform/operator/erasure-resolvers.ts';
import { viewedBookingIds, viewRecords } from './adapters/booking-records.ts';
import { viewErasure } from './adapters/customer-erasure.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { hostResolvers } from './adapters/host-resolvers.ts';
import { prismaDeadLetters } from './adapters/prisma-dead-letters.ts';
import { prismaHostViews } from './adapters/prisma-host-views.ts';
import { prismaViewGenerations } from './adapters/prisma-view-generations.ts';
import { prismaViewStore } from './adapters/prisma-view-store.ts';
import { prismaViewVersions, startDeletingVersions } from './adapters/prisma-view-versions.ts';
import { projectionTraces } from './adapters/projection-traces.ts';
import { resolvers } from './adapters/resolvers.ts';
import { retiredGenerations, startDeletingGenerations } from './adapters/retired-generations.ts';
import { storedEventsClient } from './adapters/stored-events-client.ts';
import { openViewPools, viewProbe } from './adapters/view-database.ts';
import { notifySubscribers, serveViewVersions } from './adapters/view-notifications.ts';
import { isOutage } from './adapters/view-projection.ts';
import { batchProjector } from './application/batch-projector.ts';
import { rebuilder } from './application/rebuild-views.ts';
import { mypageConfig } from './config.ts';

const mypage = {
  name: 'mypage',
  title: 'MyPage',
  configure: mypageConfig,
  database: ({ MYPAGE_DATABASE_URL: url }: ReturnType<typeof mypageConfig>) => ({
    url,
    migrations: `prisma/mypage/migrations/${url.startsWith('file:') ? 'sqlite' : 'mysql'}`,
  }),
} as const;

await runContext(mypage, async ({ config, logger, metrics, authorize }) => {
  const database = await openViewPools(config.MYPAGE_DATABASE_URL);
  const views = prismaViewStore(database.requests);
  const projectedViews = prismaViewStore(database.workers);
  const keepMinutes = config.VIEW_VERSIONS_KEEP_MINUTES;
  const publisher = openPublisher(config, VIEW_NOTIFICATIONS_CHANNEL, logger, metrics);
  const traces = projectionTraces();
  const projector = batchProjector(
    traces.inSpans(projectedViews),
    notifySubscribers(publisher, traces.find),
    isOutage,
  );
  const generations = prismaViewGenerations(database.workers);
  const events = storedEventsClient(
    { book: config.BOOK_URL, payment: config.PAYMENT_URL, space: config.SPACE_URL },
    authorize,
    logger,
  );
  const rebuilds = rebuilder({
    generations,
    events,
    clock: () => new Date(),
    pause: wait,
    log: (message, fields) => logger.info(fields, message),
  });

  return {
    requests: { inbox: views, deadLetters: prismaDeadLetters(database.requests) },
    workers: { inbox: projectedViews, deadLetters: prismaDeadLetters(database.workers) },
    probe: viewProbe(config.MYPAGE_DATABASE_URL),
    resolvers: [
      resolvers(views, rebuilds, generations),
      hostResolvers(prismaHostViews(database.requests)),
      erasureResolvers('MyPage', viewErasure(database.requests, generations)),
    ],
    serve(app) {
      serveViewVersions(app, prismaViewVersions(database.requests, keepMinutes));
      serveBookingRecords(app, viewRecords(database.requests), viewedBookingIds(database.requests));
    },
    consume: (consumer) => consumeEvents(consumer, traces.fromEvents(projector), logger),
    startJobs: () => ({
      rebuild: () => rebuilds.stop(),
      'deletion of old versions': startDeletingVersions(
        prismaViewVersions(database.workers, keepMinutes),
        logger,
      ),
      'deletion of retired generations': startDeletingGenerations(
        retiredGenerations(database.workers),
        logger,
      ),
    }),
    stops: {
      notifications: () => publisher.close(),
      'stored events': () => events.close(),
    },
    closeDatabase: () => database.close(),
  };
});
