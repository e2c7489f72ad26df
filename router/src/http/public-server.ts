import type { ApolloServerOptionsWithGateway } from '@apollo/server';
import type { FastifyInstance } from 'fastify';
import { closeHttpServer } from '#platform/http/http-server.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { openAdmission } from '../admission/open-admission.ts';
import { type FormatError, withoutSuggestions } from '../admission/refusals.ts';
import type { AdmissionSettings } from '../admission/settings.ts';
import type { Executor } from '../executor/executor.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import type { Identify } from '../identity/identity.ts';
import type { LivePart, SharedWithLive } from '../live/open-live.ts';
import type { RouterMetrics } from '../observability/metrics.ts';
import { startApolloServer } from './apollo-server.ts';
import { clientAddress } from './client-address.ts';
import { createFastify } from './fastify.ts';
import { serveGraphql } from './graphql-route.ts';
import { developerAccess, type HttpSettings } from './settings.ts';

const GRAPHQL_PATH = '/graphql';

/** The settings of the folders that the server is composed of, and what they share. */
export interface PublicServerSettings extends AdmissionSettings, HttpSettings {
  METRICS_TOKEN?: string | undefined;
  REDIS_URL?: string | undefined;
}

export interface PublicServer {
  app: FastifyInstance;
  /** Closes subscriptions and WebSockets, because the service restarts. */
  endSubscriptions(): Promise<void>;
  /** Accepts no more requests and waits up to 10 s for those under way. */
  endRequests(): Promise<void>;
  /** Closes the connections to other servers, after both. */
  close(): Promise<void>;
}

/** Everything between clients and the executor, on an HTTP server that does not listen yet. */
export async function createPublicServer(deps: {
  settings: PublicServerSettings;
  /** Whether clients may introspect the schema and get Apollo Sandbox where the settings do not say. */
  isForDevelopers: boolean;
  gateway: ApolloServerOptionsWithGateway<RouterContext>['gateway'];
  executor: Executor<RouterContext>;
  supergraphSdl: string;
  /** Null: subscriptions are refused. */
  openLive: ((shared: SharedWithLive) => LivePart) | null;
  identify: Identify;
  formatError: FormatError;
  metrics: RouterMetrics;
  /** Aborted when the router is about to stop. */
  draining: AbortSignal;
  logger: Logger;
}): Promise<PublicServer> {
  const { settings, gateway, executor, openLive, identify, metrics, logger } = deps;
  const { introspection, sandbox } = developerAccess(settings, deps.isForDevelopers);
  const { admission, documents, persisted, ...counting } = await openAdmission({
    settings,
    redisUrl: settings.REDIS_URL,
    schema: executor.schema,
    supergraphSdl: deps.supergraphSdl,
    introspection,
    metrics: metrics.registry,
    logger,
  });
  const { app, log } = await createFastify({ ...deps, path: GRAPHQL_PATH });
  const formatError = introspection ? deps.formatError : withoutSuggestions(deps.formatError);
  const apollo = await startApolloServer({
    gateway,
    documents,
    persisted,
    introspection,
    sandbox,
    formatError,
    logger,
  });
  const findAddress = clientAddress(settings.TRUSTED_PROXIES);
  const shared = { path: GRAPHQL_PATH, admission, apollo, identify, findAddress, formatError };
  const live = openLive?.({ ...shared, executor, server: app.server, metrics, logger });
  serveGraphql({
    ...shared,
    app,
    serveStream: live?.serveStream ?? null,
    log,
    responseTimeoutMs: settings.REQUEST_TIMEOUT_MS,
  });
  return {
    app,
    endSubscriptions: async () => void (await live?.close()),
    endRequests: () => closeHttpServer(app, logger),
    async close() {
      await live?.closeSources();
      await apollo.stop();
      await counting.close();
    },
  };
}
