import type { ContextName } from '#contracts/topology.ts';
import { type PublishingContextConfig, peerUrls } from '../config/settings.ts';
import { poolMetrics } from '../database/pool-metrics.ts';
import { type Database, openDatabase } from '../database/postgres.ts';
import { startArchiving } from '../messaging/archive.ts';
import { postgresDeadLetters } from '../messaging/dead-letters.ts';
import { postgresInbox } from '../messaging/inbox.ts';
import { type Relay, startRelay } from '../messaging/relay.ts';
import { storedEvents } from '../messaging/stored-events.ts';
import { postgresAuditLog } from '../operator/audit.ts';
import { auditResolvers } from '../operator/audit-resolvers.ts';
import type { Erasure } from '../operator/erasure.ts';
import { erasureResolvers } from '../operator/erasure-resolvers.ts';
import { redeliveryResolvers } from '../operator/redelivery-resolvers.ts';
import { type ContextBase, type ContextParts, runContext } from './context.ts';
import { postgresProbe } from './readiness.ts';

/** What a context that publishes events has, besides its own parts. */
export interface PublishingBase<Config> extends ContextBase<Config> {
  database: Database;
  /** Sends the events of the context's outbox. */
  relay: Relay;
}

/** What one publishing context adds to the wiring that all have. */
export interface PublishingParts
  extends Pick<ContextParts, 'resolvers' | 'serve' | 'consume' | 'startJobs' | 'stops'> {
  /** Erases a customer's personal data in the context's tables. */
  erasure: Erasure;
}

/**
 * Runs a context with a PostgreSQL database that publishes events: its outbox has a relay and an
 * archive, its operators an audit log and the erasure of customers. Exits as `runService` does.
 */
export async function runPublishingContext<Config extends PublishingContextConfig>(
  context: {
    name: ContextName;
    title: 'Book' | 'Payment' | 'Space';
    configure: (env: NodeJS.ProcessEnv) => Config;
    databaseUrl: (config: Config) => string;
  },
  open: (base: PublishingBase<Config>) => Promise<PublishingParts> | PublishingParts,
): Promise<void> {
  const { name, title, configure, databaseUrl } = context;
  const migrations = `prisma/${name}/migrations`;
  await runContext(
    { name, title, configure, database: (config) => ({ url: databaseUrl(config), migrations }) },
    async (base) => {
      const { config, logger, metrics, transport, authorize } = base;
      const database = openDatabase(databaseUrl(config), logger);
      const { requests, workers } = database;
      poolMetrics(database, metrics);
      const relay = startRelay({
        pool: workers,
        transport,
        authorize,
        inboxUrls: peerUrls(config),
        publisher: name,
        metrics,
        logger,
      });
      const parts = await open({ ...base, database, relay });
      return {
        ...parts,
        requests: { inbox: postgresInbox(requests), deadLetters: postgresDeadLetters(requests) },
        workers: { inbox: postgresInbox(workers), deadLetters: postgresDeadLetters(workers) },
        probe: postgresProbe(databaseUrl(config)),
        resolvers: [
          ...parts.resolvers,
          auditResolvers(title, postgresAuditLog(requests)),
          erasureResolvers(title, parts.erasure),
          redeliveryResolvers(title, name, workers, logger),
        ],
        events: storedEvents(requests),
        startJobs: () => ({
          ...parts.startJobs?.(),
          archiving: startArchiving({
            pool: workers,
            keepHours: config.OUTBOX_KEEP_HOURS,
            logger,
          }),
        }),
        stops: { ...parts.stops, relay: () => relay.stop() },
        closeDatabase: () => database.close(),
      };
    },
  );
}
