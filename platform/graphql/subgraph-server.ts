import { ApolloServer } from '@apollo/server';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { GraphQLResolverMap } from '@apollo/subgraph/dist/schema-helper/index.js';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance } from 'fastify';
import { GraphQLError } from 'graphql';
import { z } from 'zod';
import type { ContextName } from '#contracts/topology.ts';
import { type Caller, internalAuthentication } from '../auth/internal-tokens.ts';
import {
  closeHttpServer,
  createHttpServer,
  type Health,
  LIVE_PATH,
  READY_PATH,
} from '../http/http-server.ts';
import type { Inbox } from '../messaging/inbox.ts';
import { HELD_PATH } from '../messaging/peer-inboxes.ts';
import { type StoredEvents, serveStoredEvents } from '../messaging/stored-events.ts';
import type { Logger } from '../observability/logger.ts';
import { METRICS_PATH, type Metrics, metricsReader } from '../observability/metrics.ts';
import { withAccessRules } from './access.ts';
import { errorFormatter } from './errors.ts';
import { DateTime } from './scalars.ts';
import { readSubgraphSchema } from './subgraph-schema.ts';

/** What every resolver of a subgraph can rely on. */
export type SubgraphContext = Caller;

/** A sibling that sends no more is gone. */
const RECEIVED_WITHIN_MS = 15_000;

const heldQuestion = z.object({ ids: z.array(z.uuid()).max(10_000) });

export interface Service {
  listen(address: { host: string; port: number }): Promise<void>;
  /** Accepts nothing new and lets running requests finish, for 10 s at most. */
  close(): Promise<void>;
}

/**
 * A subgraph over HTTP: GraphQL at /graphql, health, metrics, the inbox that producers ask and, where
 * the context tells events, what it has told so far. All but health is for services of the system.
 */
export async function createSubgraph<Context extends SubgraphContext>(options: {
  name: ContextName;
  config: { INTERNAL_TOKEN_KEYS: readonly string[]; METRICS_TOKEN?: string | undefined };
  schemaFile: string;
  /** Maps of resolvers by type; they are put together. */
  resolvers: readonly Record<string, object>[];
  context: (base: SubgraphContext) => Context;
  inbox: Inbox;
  events?: StoredEvents;
  /** What else the context answers over HTTP, to other parts of the system. */
  serve?: (app: FastifyInstance) => void;
  health: Health;
  metrics: Metrics;
  logger: Logger;
}): Promise<Service> {
  const { logger } = options;
  const app = createHttpServer(options.health, logger, { requestTimeout: RECEIVED_WITHIN_MS });
  requireServiceToken(app, options);
  const apollo = new ApolloServer<Context>({
    schema: withAccessRules(
      buildSubgraphSchema({
        typeDefs: await readSubgraphSchema(options.schemaFile),
        resolvers: { ...merged(options.resolvers), DateTime } as GraphQLResolverMap<unknown>,
      }),
    ),
    formatError: errorFormatter(logger),
    includeStacktraceInErrorResponses: false,
    csrfPrevention: true,
    introspection: true,
    stopOnTerminationSignals: false,
    logger,
  });
  await apollo.start();
  app.post(
    '/graphql',
    fastifyApolloHandler(apollo, {
      context: async ({ caller }) => options.context(caller),
    }),
  );
  app.get(METRICS_PATH, async (_request, reply) => {
    reply.type(options.metrics.contentType);
    return options.metrics.metrics();
  });
  app.post(HELD_PATH, async (request, reply) => {
    const question = heldQuestion.safeParse(request.body);
    if (!question.success) return reply.code(400).send({ message: 'ids must be a list of ids' });
    return { held: await options.inbox.held(question.data.ids) };
  });
  if (options.events) serveStoredEvents(app, options.events);
  options.serve?.(app);
  return {
    listen: async (address) => void (await app.listen(address)),
    async close() {
      await closeHttpServer(app, logger);
      await apollo.stop();
    },
  };
}

/** Responds with 401 unless a service of the system has signed the request; health is for all. */
function requireServiceToken(
  app: FastifyInstance,
  { name, config, logger }: Parameters<typeof createSubgraph>[0],
): void {
  const authenticate = internalAuthentication(name, config.INTERNAL_TOKEN_KEYS);
  const formatError = errorFormatter(logger);
  const mayReadMetrics = metricsReader(config.METRICS_TOKEN);
  app.decorateRequest('caller');
  app.addHook('onRequest', async (request, reply) => {
    const { url: route } = request.routeOptions;
    const { authorization } = request.headers;
    if (route === LIVE_PATH || route === READY_PATH) return;
    if (route === METRICS_PATH && mayReadMetrics(authorization)) return;
    try {
      request.caller = await authenticate(authorization);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      logger.warn(
        { ip: request.ip, url: request.url },
        'a call from outside the system is refused',
      );
      return reply.code(401).send({ errors: [formatError(error.toJSON(), error)] });
    }
  });
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls a subgraph. */
    caller: Caller;
  }
}

function merged(maps: readonly Record<string, object>[]): Record<string, object> {
  const all: Record<string, object> = {};
  for (const map of maps) {
    for (const [type, fields] of Object.entries(map)) all[type] = { ...all[type], ...fields };
  }
  return all;
}
