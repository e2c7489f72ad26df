import type { FastifyInstance } from 'fastify';
import { type ContextName, topology } from '#contracts/topology.ts';
import { followInternalKeys } from '../auth/internal-keys.ts';
import { internalRequestSigner, type SignRequest } from '../auth/internal-requests.ts';
import { projectFile } from '../config/project.ts';
import type { ContextConfig } from '../config/settings.ts';
import { applyMigrations } from '../database/migrate.ts';
import { createSubgraph } from '../graphql/subgraph-server.ts';
import { type Consumer, openConsumer } from '../messaging/consumer.ts';
import type { DeadLetters } from '../messaging/dead-letters.ts';
import type { Inbox } from '../messaging/inbox.ts';
import { openTransport, type Transport } from '../messaging/queue.ts';
import type { StoredEvents } from '../messaging/stored-events.ts';
import type { Logger } from '../observability/logger.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import { deadLetterResolvers } from '../operator/dead-letter-resolvers.ts';
import { startTracing } from '../tracing/start-tracing.ts';
import { openWaitingServer } from './database-wait.ts';
import { runService } from './lifecycle.ts';
import type { Probe } from './readiness.ts';

/** What every context has before its database is opened. */
export interface ContextBase<Config> {
  config: Config;
  logger: Logger;
  metrics: Metrics;
  transport: Transport;
  /** Signs requests to other contexts. */
  authorize: SignRequest;
}

/** What consuming needs of a context's database, over one of its pools. */
interface ConsumingStores {
  inbox: Inbox;
  deadLetters: DeadLetters;
}

/** Short: a context that waits for another one's migration says so. */
const MIGRATION_LOCK_WAIT_MS = 2_000;

type Stops = Record<string, () => Promise<unknown> | unknown>;

/** What one context adds to the wiring that all have. */
export interface ContextParts {
  /** Requests and workers have pools of their own, so that neither can starve the other. */
  requests: ConsumingStores;
  workers: ConsumingStores;
  probe: Probe;
  /** Maps of resolvers by type; they are merged with those for dead letters. */
  resolvers: readonly Record<string, object>[];
  /** The events that the context has published, where it publishes any. */
  events?: StoredEvents;
  /** Adds internal endpoints. */
  serve?: (app: FastifyInstance) => void;
  /** Registers a handler for each type of event that the topology says the context consumes. */
  consume(consumer: Consumer): Promise<void>;
  /** Starts periodic work; the returned functions end it when the drain begins. */
  startJobs?(): Stops;
  /** Closes what only this context has, in order, when requests and workers have finished. */
  stops?: Stops;
  /** Closes the database's pools. */
  closeDatabase(): Promise<unknown>;
}

/**
 * Runs a context as a service: waits for its database, applies its migrations, opens its parts, consumes
 * events, serves its subgraph, and shuts down in order. Exits as {@link runService} does.
 */
export async function runContext<Config extends ContextConfig>(
  context: {
    name: ContextName;
    /** Its name in GraphQL fields, such as `BookDeadLetters`. */
    title: 'Book' | 'Payment' | 'Space' | 'MyPage';
    configure: (env: NodeJS.ProcessEnv) => Config;
    /** The database's address, and the folder of its migrations from the project's root. */
    database: (config: Config) => { url: string; migrations: string };
  },
  open: (base: ContextBase<Config>) => Promise<ContextParts> | ContextParts,
): Promise<void> {
  const { name } = context;
  await runService(name, context.configure, async ({ config, logger, draining, ...lifecycle }) => {
    const { onDrain, onDrained, onStop } = lifecycle;
    const metrics = createMetrics(name);
    const stopTracing = await startTracing(name, config, metrics, logger);
    const keys = followInternalKeys(config.INTERNAL_TOKEN_KEYS, process.env, metrics, logger);
    const authorize = internalRequestSigner(name, keys);
    const database = context.database(config);
    const waiting = await openWaitingServer(name, config, draining, logger);
    await waiting.untilMigrated(async () => {
      refuseOldAddress(context, database.url);
      await applyMigrations({
        databaseUrl: database.url,
        migrationsDir: projectFile(database.migrations),
        allowIncompatible: config.ALLOW_INCOMPATIBLE_MIGRATIONS,
        lockWaitMs: MIGRATION_LOCK_WAIT_MS,
        log: logger,
      });
    });
    const transport = openTransport(config, logger, metrics);
    const parts = await open({ config, logger, metrics, transport, authorize });
    const consumer = openConsumer({
      name,
      transport,
      ...parts.workers,
      parkAfter: config.PARK_AFTER_FAILURES,
      metrics,
      logger,
    });
    const server = await createSubgraph({
      name,
      config,
      keys,
      schemaFile: projectFile(`subgraphs/${name}/schema.graphql`),
      resolvers: [
        ...parts.resolvers,
        deadLetterResolvers(context.title, parts.requests.deadLetters, consumer, logger),
      ],
      context: (base) => base,
      inbox: parts.requests.inbox,
      ...(parts.events && { events: parts.events }),
      ...(parts.serve && { serve: parts.serve }),
      health: { ready: () => parts.probe.check(), draining },
      metrics,
      logger,
    });
    await parts.consume(consumer);
    requireHandlers(name, consumer);
    const jobs = parts.startJobs?.() ?? {};
    await waiting.close();
    await server.listen({ host: config.HOST, port: config.PORT });
    logger.info({ port: config.PORT }, `${name} is ready`);

    // Consumers and jobs end first: no work begins in a process that is about to end, and other
    // processes continue it. The relay goes on: it sends what requests still commit.
    for (const [job, stop] of Object.entries(jobs)) onDrain(job, stop);
    onDrain('queue workers', () => transport.stopReceiving());
    onDrained('requests', () => server.close());
    for (const [part, stop] of Object.entries(parts.stops ?? {})) onStop(part, stop);
    onStop('queue', () => transport.close());
    onStop('database', () => Promise.all([parts.probe.close(), parts.closeDatabase()]));
    onStop('traces', stopTracing);
  });
}

/** A service that waits with an old password would wait for ever: its file may hold the new one. */
function refuseOldAddress<Config>(
  context: {
    configure: (env: NodeJS.ProcessEnv) => Config;
    database: (config: Config) => { url: string };
  },
  url: string,
): void {
  if (context.database(context.configure(process.env)).url === url) return;
  throw new Error("The address of the service's database has changed: it has to start again.");
}

/** Throws unless each event that awaits the context has a handler: it would never be acknowledged. */
function requireHandlers(name: ContextName, consumer: Consumer): void {
  const missing = topology[name].consumes.filter((type) => !consumer.types().includes(type));
  if (missing.length === 0) return;
  throw new Error(`${name} has no handler for ${missing.join(', ')}, which the topology lists.`);
}
