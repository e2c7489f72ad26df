import type { Server } from 'node:http';
import type { ApolloServer } from '@apollo/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { VIEW_NOTICES_CHANNEL } from '#contracts/mypage.ts';
import type { Authorize } from '#platform/internal-tokens.ts';
import type { Logger } from '#platform/logger.ts';
import { listenToNotices } from '#platform/notices.ts';
import type { Viewer } from '#platform/viewer.ts';
import type { RouterConfig } from '../config.ts';
import type { Executor } from '../executor/executor.ts';
import { authorizationOf, type Identified } from '../identity/identity.ts';
import type { RouterContext } from '../subgraph-client.ts';
import { eventStreams, streamProtocol } from './event-streams.ts';
import { operations } from './operations.ts';
import { type ReadRequest, requestReader } from './requests.ts';
import { subscriptions } from './subscriptions.ts';
import { viewSource } from './view-source.ts';
import { watchedViews } from './watched-views.ts';
import { serveWebSockets } from './websocket.ts';

/** Clients are told to come back within that time, so that they don't all do at once. */
const LEAVE_WITHIN_MS = 5_000;

/**
 * GraphQL with any number of answers to one request, over every protocol that clients speak: WebSocket,
 * Server-Sent Events and multipart HTTP, all at the address of queries.
 */
export function liveGraphql(deps: {
  config: RouterConfig;
  path: string;
  executor: Executor<RouterContext>;
  authorize: Authorize;
  /** Answers queries and mutations. */
  apollo: ApolloServer<RouterContext>;
  identify: (authorization: string | undefined) => Promise<Identified | null>;
  formatError: (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;
  server: Server;
  logger: Logger;
}) {
  const { config, path, executor, authorize, apollo, identify, formatError, server, logger } = deps;
  const source = viewSource(config.MYPAGE_URL, authorize, config.SUBGRAPH_TIMEOUT_MS);
  const views = watchedViews({
    source,
    listen: (hearer) => listenToNotices(config, VIEW_NOTICES_CHANNEL, hearer, logger),
    logger,
  });
  const live = operations({
    read: requestReader(executor.schema),
    subscriptions: subscriptions({
      executor,
      views,
      limits: {
        perUser: config.SUBSCRIPTIONS_PER_USER,
        perProcess: config.SUBSCRIPTIONS_PER_PROCESS,
      },
      formatError,
    }),
    answer: (request, viewer) => answerOnce(apollo, request, viewer),
    formatError,
  });
  const streams = eventStreams(live);
  const sockets = serveWebSockets({
    server,
    path,
    schema: executor.schema,
    operations: live,
    identify,
    logger,
  });

  return {
    /** Answers requests for a stream; leaves all others to what follows. */
    async answerStreams(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      const protocol = request.method === 'POST' ? streamProtocol(request.headers.accept) : null;
      if (!protocol) return;
      const read = live.read(request.body);
      if ('errors' in read) return reply.code(400).send(read);
      // Multipart is for subscriptions alone; Apollo's own server answers all else as it likes.
      if (read.kind !== 'subscription' && protocol.isForSubscriptions) return;
      try {
        const identified = await identify(authorizationOf(request.raw));
        await streams.serve(protocol, read, identified, reply);
      } catch (error) {
        if (!(error instanceof GraphQLError)) throw error;
        return reply
          .code(httpStatusOf(error))
          .send({ errors: [formatError(error.toJSON(), error)] });
      }
    },
    async close() {
      await Promise.all([sockets.leave(LEAVE_WITHIN_MS), streams.leave(LEAVE_WITHIN_MS)]);
      await views.close();
      await source.close();
    },
  };
}

async function answerOnce(
  apollo: ApolloServer<RouterContext>,
  { text, operationName, variables }: ReadRequest,
  viewer: Viewer | null,
): Promise<ExecutionResult> {
  const { body } = await apollo.executeOperation(
    { query: text, operationName: operationName ?? undefined, variables },
    { contextValue: { viewer } },
  );
  if (body.kind === 'single') return body.singleResult as ExecutionResult;
  throw new Error('a query was answered in several parts');
}

function httpStatusOf({ extensions }: GraphQLError): number {
  return (extensions.http as { status?: number } | undefined)?.status ?? 401;
}
