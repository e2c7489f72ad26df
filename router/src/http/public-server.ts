import type { ApolloServerOptionsWithGateway } from '@apollo/server';
import type { FastifyInstance } from 'fastify';
import type { SignRequest } from '#platform/auth/internal-requests.ts';
import { errorFormatter } from '#platform/graphql/errors.ts';
import { closeHttpServer } from '#platform/http/http-server.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { openAdmission } from '../admission/open-admission.ts';
import { withoutSuggestions } from '../admission/refusals.ts';
import type { AdmissionSettings } from '../admission/settings.ts';
import type { Executor } from '../executor/executor.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import type { Identify } from '../identity/identity.ts';
import { bookCalendars } from '../live/book-calendars.ts';
import { liveGraphql } from '../live/live-graphql.ts';
import { mypageViews } from '../live/mypage-views.ts';
import type { LiveSettings } from '../live/settings.ts';
import type { RouterMetrics } from '../observability/metrics.ts';
import { startApolloServer } from './apollo-server.ts';
import { clientAddress } from './client-address.ts';
import { createFastify } from './fastify.ts';
import { serveGraphql } from './graphql-route.ts';
import { mayConnect } from './origins.ts';
import type { HttpSettings } from './settings.ts';

const GRAPHQL_PATH = '/graphql';

/** The settings of the folders that the server is composed of, and what they share. */
export interface PublicServerSettings extends AdmissionSettings, HttpSettings, LiveSettings {
  SPACERENT_PROFILE: 'embedded' | 'servers';
  METRICS_TOKEN?: string | undefined;
  REDIS_URL?: string | undefined;
  QUEUE_DATABASE_URL?: string | undefined;
  BOOK_URL: string;
  MYPAGE_URL: string;
  SUBGRAPH_TIMEOUT_MS: number;
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
  gateway: ApolloServerOptionsWithGateway<RouterContext>['gateway'];
  executor: Executor<RouterContext>;
  supergraphSdl: string;
  authorize: SignRequest;
  identify: Identify;
  metrics: RouterMetrics;
  /** Aborted when the router is about to stop. */
  draining: AbortSignal;
  logger: Logger;
}): Promise<PublicServer> {
  const { settings, gateway, executor, authorize, identify, metrics, logger } = deps;
  const { introspection, sandbox } = developerAccess(settings);
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
  const errors = errorFormatter(logger);
  const formatError = introspection ? errors : withoutSuggestions(errors);
  const apollo = await startApolloServer({
    gateway,
    documents,
    persisted,
    introspection,
    sandbox,
    formatError,
    logger,
  });
  const watching = {
    authorize,
    timeoutMs: settings.SUBGRAPH_TIMEOUT_MS,
    notifications: settings,
    metrics,
    logger,
  };
  const views = mypageViews({ url: settings.MYPAGE_URL, ...watching });
  const calendars = bookCalendars({ url: settings.BOOK_URL, ...watching });
  const findAddress = clientAddress(settings.TRUSTED_PROXIES);
  const shared = { path: GRAPHQL_PATH, admission, apollo, identify, findAddress, formatError };
  const live = liveGraphql({
    ...shared,
    settings,
    maxMessageBytes: settings.BODY_LIMIT_BYTES,
    executor,
    views,
    calendars,
    mayConnect: mayConnect(settings.CORS_ORIGINS),
    server: app.server,
    metrics,
    logger,
  });
  serveGraphql({
    ...shared,
    app,
    serveStream: live.serveStream,
    log,
    responseTimeoutMs: settings.REQUEST_TIMEOUT_MS,
  });
  return {
    app,
    endSubscriptions: live.close,
    endRequests: () => closeHttpServer(app, logger),
    async close() {
      await views.close();
      await calendars.close();
      await apollo.stop();
      await counting.close();
    },
  };
}

/** Whether clients may read the schema and get Apollo Sandbox: by default in the embedded profile only. */
function developerAccess({ SPACERENT_PROFILE, INTROSPECTION, SANDBOX }: PublicServerSettings) {
  const byDefault = SPACERENT_PROFILE === 'embedded' ? 'on' : 'off';
  return {
    introspection: (INTROSPECTION ?? byDefault) === 'on',
    sandbox: (SANDBOX ?? byDefault) === 'on',
  };
}
