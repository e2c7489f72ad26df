import type { Server } from 'node:http';
import { ApolloServer, type ApolloServerOptionsWithGateway } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import type { FastifyHttpOptions, FastifyInstance } from 'fastify';
import type { Authorize } from '#platform/auth/internal-tokens.ts';
import { errorFormatter } from '#platform/graphql/errors.ts';
import { closeHttpServer, createHttpServer } from '#platform/http/http-server.ts';
import { newCorrelation } from '#platform/observability/correlation.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { admissionGate } from '../admission/admission.ts';
import { costRules } from '../admission/cost-rules.ts';
import { type Documents, documentExaminer, documentStore } from '../admission/documents.ts';
import { checkManifest, readManifest } from '../admission/manifest.ts';
import {
  automaticOperations,
  type PersistedOperations,
  persistedQueryCache,
  registeredOperations,
} from '../admission/persisted-operations.ts';
import { callerRates } from '../admission/rates.ts';
import { withoutSuggestions } from '../admission/refusals.ts';
import type { RouterConfig } from '../config.ts';
import type { Executor } from '../executor/executor.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import type { Identified } from '../identity/identity.ts';
import { liveGraphql } from '../live/live-graphql.ts';
import type { RouterMetrics } from '../observability/metrics.ts';
import { accessLog, type ObservedContext, outcomePlugin } from './access-log.ts';
import { clientAddress } from './client-address.ts';
import { serveGraphql } from './graphql-route.ts';
import {
  answerBadAddress,
  answerBrokenRequest,
  answerHttpErrors,
  type HttpLimits,
} from './http-errors.ts';
import { serveMetrics } from './metrics-route.ts';
import { mayConnect, shareWithOrigins } from './origins.ts';
import { sandboxPage } from './sandbox-page.ts';
import { addSecurityHeaders } from './security-headers.ts';

const GRAPHQL_PATH = '/graphql';

export interface Edge {
  app: FastifyInstance;
  /** Sends away those who watch: the service restarts. */
  endSubscriptions(): Promise<void>;
  /** Accepts no more requests and lets those under way finish, for 10 s at most. */
  endRequests(): Promise<void>;
  /** Closes the rest, after both. */
  close(): Promise<void>;
}

/** All that stands between clients and the executor, on an HTTP server that does not listen yet. */
export async function createEdge(deps: {
  config: RouterConfig;
  gateway: ApolloServerOptionsWithGateway<RouterContext>['gateway'];
  executor: Executor<RouterContext>;
  supergraphSdl: string;
  authorize: Authorize;
  identify: (authorization: string | undefined) => Promise<Identified | null>;
  metrics: RouterMetrics;
  /** Aborted when the router is about to stop. */
  draining: AbortSignal;
  logger: Logger;
}): Promise<Edge> {
  const { config, gateway, executor, supergraphSdl, authorize, identify, metrics, logger } = deps;
  const isEmbedded = config.SPACERENT_PROFILE === 'embedded';
  const introspection = (config.INTROSPECTION ?? (isEmbedded ? 'on' : 'off')) === 'on';
  const sandbox = (config.SANDBOX ?? (isEmbedded ? 'on' : 'off')) === 'on';
  const rates = callerRates({
    mutationsPerUser: config.MUTATIONS_PER_MINUTE_PER_USER,
    mutationsPerAddress: config.MUTATIONS_PER_MINUTE_PER_ADDRESS,
    queryCostPerUser: config.QUERY_COST_PER_MINUTE_PER_USER,
    queryCostPerAddress: config.QUERY_COST_PER_MINUTE_PER_ADDRESS,
    redisUrl: config.REDIS_URL,
    metrics: metrics.registry,
    logger,
  });
  const documents = documentExaminer({
    schema: executor.schema,
    limits: {
      depth: config.MAX_OPERATION_DEPTH,
      aliases: config.MAX_OPERATION_ALIASES,
      directives: config.MAX_OPERATION_DIRECTIVES,
      rootFields: config.MAX_ROOT_FIELDS,
      selections: config.MAX_OPERATION_SELECTIONS,
      tokens: config.MAX_OPERATION_TOKENS,
    },
    rules: costRules(supergraphSdl),
    introspection,
  });
  const costLimit = config.MAX_OPERATION_COST;
  const persisted = await persistedOperations(config.OPERATIONS_MANIFEST, documents, costLimit);
  const gate = admissionGate({ documents, costLimit, persisted, rates });
  const addressOf = clientAddress(config.TRUSTED_PROXIES);

  const limits: HttpLimits = {
    bodyBytes: config.BODY_LIMIT_BYTES,
    receiveMs: config.REQUEST_RECEIVE_TIMEOUT_MS,
    answerMs: config.REQUEST_TIMEOUT_MS,
  };
  // What it needs to serve, its supergraph, was loaded before it listens.
  const health = { ready: async () => undefined, draining: deps.draining };
  const app = createHttpServer(health, logger, httpOptions(limits), newCorrelation);
  app.server.maxConnections = config.CONNECTIONS_PER_PROCESS;
  const log = accessLog({ app, path: GRAPHQL_PATH, metrics, logger });
  serveMetrics(app, metrics.registry, config.METRICS_TOKEN);
  answerHttpErrors(app, limits, logger);
  await addSecurityHeaders(app);
  await shareWithOrigins(app, config.CORS_ORIGINS);
  const formatError = introspection
    ? errorFormatter(logger)
    : withoutSuggestions(errorFormatter(logger));
  const apollo = new ApolloServer<RouterContext & ObservedContext>({
    gateway,
    plugins: [outcomePlugin(), sandbox ? sandboxPage() : ApolloServerPluginLandingPageDisabled()],
    documentStore: documentStore(documents, persisted.find),
    persistedQueries: { cache: persistedQueryCache(persisted) },
    formatError,
    includeStacktraceInErrorResponses: false,
    introspection,
    hideSchemaDetailsFromClientErrors: !introspection,
    stopOnTerminationSignals: false,
    logger,
  });
  await apollo.start();

  const live = liveGraphql({
    config,
    path: GRAPHQL_PATH,
    executor,
    authorize,
    gate,
    apollo,
    identify,
    addressOf,
    mayConnect: mayConnect(config.CORS_ORIGINS),
    formatError,
    server: app.server,
    metrics,
    logger,
  });
  serveGraphql({
    app,
    path: GRAPHQL_PATH,
    gate,
    apollo,
    answerStream: live.answerStream,
    log,
    identify,
    addressOf,
    formatError,
    answerWithinMs: limits.answerMs,
  });
  return {
    app,
    endSubscriptions: live.leave,
    endRequests: () => closeHttpServer(app, logger),
    async close() {
      await live.close();
      await apollo.stop();
      await rates.close();
    },
  };
}

function httpOptions(limits: HttpLimits): FastifyHttpOptions<Server> {
  return {
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.receiveMs,
    http: {
      headersTimeout: limits.receiveMs,
      requestTimeout: limits.receiveMs,
      // Node looks for requests that take too long every so often.
      connectionsCheckingInterval: Math.min(1_000, limits.receiveMs),
    },
    frameworkErrors: answerBadAddress,
    clientErrorHandler: answerBrokenRequest(limits),
  };
}

/** Those of the manifest alone, where there is one; throws sentences when it is wrong. */
async function persistedOperations(
  manifestPath: string | undefined,
  documents: Documents,
  costLimit: number,
): Promise<PersistedOperations> {
  if (manifestPath === undefined) return automaticOperations();
  const manifest = await readManifest(manifestPath);
  checkManifest(manifestPath, manifest, documents, costLimit);
  return registeredOperations(manifest);
}
