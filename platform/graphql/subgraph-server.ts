import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { GraphQLResolverMap } from '@apollo/subgraph/dist/schema-helper/index.js';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { z } from 'zod';
import type { ContextName } from '#contracts/topology.ts';
import {
  type InternalKeys,
  type InternalRequest,
  internalRequestVerifier,
} from '../auth/internal-requests.ts';
import {
  closeHttpServer,
  createHttpServer,
  type Health,
  LIVE_PATH,
  READY_PATH,
} from '../http/http-server.ts';
import { requestMetrics } from '../http/request-metrics.ts';
import type { Inbox } from '../messaging/inbox.ts';
import { INBOX_PATH } from '../messaging/peer-inboxes.ts';
import { type StoredEvents, serveStoredEvents } from '../messaging/stored-events.ts';
import type { Logger } from '../observability/logger.ts';
import { METRICS_PATH, type Metrics, metricsTokenCheck } from '../observability/metrics.ts';
import { parseTraceparent, TRACEPARENT_HEADER } from '../tracing/traceparent.ts';
import { isTracing, startRequestSpan } from '../tracing/tracing.ts';
import { withAccessRules } from './access.ts';
import { errorFormatter } from './errors.ts';
import { DateTime, LocalDate } from './scalars.ts';
import { readSubgraphSchema } from './subgraph-schema.ts';

/** The context that every resolver of a subgraph has. */
export type SubgraphContext = InternalRequest;

/** Ends requests of services that stopped sending. */
const REQUEST_TIMEOUT_MS = 15_000;
const GRAPHQL_PATH = '/graphql';

const inboxRequest = z.object({ ids: z.array(z.uuid()).max(10_000) });

export interface Service {
  listen(address: { host: string; port: number }): Promise<void>;
  /** Accepts nothing new and lets running requests finish, for 10 s at most. */
  close(): Promise<void>;
}

interface SubgraphOptions<Context extends SubgraphContext> {
  name: ContextName;
  config: { METRICS_TOKEN?: string | undefined };
  keys: InternalKeys;
  schemaFile: string;
  /** Maps of resolvers by type; they are merged. */
  resolvers: readonly Record<string, object>[];
  context: (base: SubgraphContext) => Context;
  inbox: Inbox;
  events?: StoredEvents;
  /** Adds the context's own internal endpoints. */
  serve?: (app: FastifyInstance) => void;
  health: Health;
  metrics: Metrics;
  logger: Logger;
}

/**
 * A subgraph over HTTP: GraphQL at /graphql, health, metrics, the inbox for the relays of producers and,
 * where the context publishes events, all its events. All but health is for services of the system.
 */
export async function createSubgraph<Context extends SubgraphContext>(
  options: SubgraphOptions<Context>,
): Promise<Service> {
  const { logger } = options;
  const app = createHttpServer(options.health, logger, { requestTimeout: REQUEST_TIMEOUT_MS });
  // First, so that it measures what the next one refuses as well.
  const plugin = requestMetrics(app, options.metrics);
  requireServiceToken(app, options);
  const apollo = await startApollo(options, plugin);
  app.post(
    GRAPHQL_PATH,
    fastifyApolloHandler(apollo, {
      context: async ({ internalRequest }) => options.context(internalRequest),
    }),
  );
  serveInternalEndpoints(app, options);
  return {
    listen: async (address) => void (await app.listen(address)),
    async close() {
      await closeHttpServer(app, logger);
      await apollo.stop();
    },
  };
}

async function startApollo<Context extends SubgraphContext>(
  { schemaFile, resolvers, logger }: SubgraphOptions<Context>,
  plugin: ApolloServerPlugin,
): Promise<ApolloServer<Context>> {
  const apollo = new ApolloServer<Context>({
    schema: withAccessRules(
      buildSubgraphSchema({
        typeDefs: await readSubgraphSchema(schemaFile),
        resolvers: {
          ...merged(resolvers),
          DateTime,
          Date: LocalDate,
        } as GraphQLResolverMap<unknown>,
      }),
    ),
    plugins: [plugin],
    formatError: errorFormatter(logger),
    includeStacktraceInErrorResponses: false,
    csrfPrevention: true,
    introspection: true,
    stopOnTerminationSignals: false,
    logger,
  });
  await apollo.start();
  return apollo;
}

function serveInternalEndpoints(
  app: FastifyInstance,
  {
    metrics,
    inbox,
    events,
    serve,
  }: Pick<SubgraphOptions<SubgraphContext>, 'metrics' | 'inbox' | 'events' | 'serve'>,
): void {
  app.get(METRICS_PATH, async (_request, reply) => {
    reply.type(metrics.contentType);
    return metrics.metrics();
  });
  app.post(INBOX_PATH, async (request, reply) => {
    const parsed = inboxRequest.safeParse(request.body);
    if (!parsed.success) return reply.code(400).send({ message: 'ids must be a list of ids' });
    return { recorded: await inbox.findRecorded(parsed.data.ids) };
  });
  if (events) serveStoredEvents(app, events);
  serve?.(app);
}

/** Responds with 401 unless a service of the system has signed the request; health is for all. */
function requireServiceToken(
  app: FastifyInstance,
  {
    name,
    config,
    keys,
    logger,
  }: Pick<SubgraphOptions<SubgraphContext>, 'name' | 'config' | 'keys' | 'logger'>,
): void {
  const authenticate = internalRequestVerifier(name, keys);
  const formatError = errorFormatter(logger);
  const mayReadMetrics = metricsTokenCheck(config.METRICS_TOKEN);
  app.decorateRequest('internalRequest');
  app.addHook('onRequest', async (request, reply) => {
    const { url: route } = request.routeOptions;
    const { authorization } = request.headers;
    if (route === LIVE_PATH || route === READY_PATH) return;
    if (route === METRICS_PATH && mayReadMetrics(authorization)) return;
    try {
      request.internalRequest = await authenticate(authorization);
      // Not before: a stranger must not decide what is exported.
      traceRequest(request);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      logger.warn(
        { ip: request.ip, url: request.url },
        'a request from outside the system is refused',
      );
      return reply.code(401).send({ errors: [formatError(error.toJSON(), error)] });
    }
  });
}

/** Continues the trace of the service that sent the request. Only GraphQL begins one: others poll all the time. */
function traceRequest({ headers, method, routeOptions: { url } }: FastifyRequest): void {
  if (!isTracing()) return;
  const parent = parseTraceparent(headers[TRACEPARENT_HEADER]);
  if (parent || url === GRAPHQL_PATH)
    startRequestSpan(`${method} ${url}`, { kind: 'server', parent });
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The service that sent a request to a subgraph, and the user it is for. */
    internalRequest: InternalRequest;
  }
}

function merged(maps: readonly Record<string, object>[]): Record<string, object> {
  const all: Record<string, object> = {};
  for (const map of maps) {
    for (const [type, fields] of Object.entries(map)) all[type] = { ...all[type], ...fields };
  }
  return all;
}
