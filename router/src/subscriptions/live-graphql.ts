import type { IncomingMessage, Server } from 'node:http';
import type { ApolloServer } from '@apollo/server';
import type { ExecutionResult } from 'graphql';
import { VIEW_NOTICES_CHANNEL } from '#contracts/mypage.ts';
import type { Authorize } from '#platform/internal-tokens.ts';
import type { Logger } from '#platform/logger.ts';
import { listenToNotices } from '#platform/notices.ts';
import type { Viewer } from '#platform/viewer.ts';
import type { AdmittedRequest, Gate } from '../admission/gate.ts';
import type { FormatError } from '../admission/refusals.ts';
import type { RouterConfig } from '../config.ts';
import type { Executor } from '../executor/executor.ts';
import type { Identified } from '../identity/identity.ts';
import type { RouterContext } from '../subgraph-client.ts';
import { eventStreams } from './event-streams.ts';
import { operations } from './operations.ts';
import { subscriptions } from './subscriptions.ts';
import { viewSource } from './view-source.ts';
import { watchedViews } from './watched-views.ts';
import { serveWebSockets } from './websocket.ts';

/** Clients are told to come back within that time, so that they don't all do at once. */
const LEAVE_WITHIN_MS = 3_000;

/**
 * GraphQL with any number of answers to one request, over every protocol that clients speak: WebSocket,
 * Server-Sent Events and multipart HTTP, all at the address of queries.
 */
export function liveGraphql(deps: {
  config: RouterConfig;
  path: string;
  executor: Executor<RouterContext>;
  authorize: Authorize;
  gate: Gate;
  /** Answers queries and mutations. */
  apollo: ApolloServer<RouterContext>;
  identify: (authorization: string | undefined) => Promise<Identified | null>;
  /** The address of who sends a request. */
  addressOf: (request: IncomingMessage) => string;
  /** May a page, by its origin, open a WebSocket? */
  mayConnect: (request: IncomingMessage) => boolean;
  formatError: FormatError;
  server: Server;
  logger: Logger;
}) {
  const { config, path, executor, authorize, gate, apollo, identify, addressOf } = deps;
  const { formatError, server, logger } = deps;
  const source = viewSource(config.MYPAGE_URL, authorize, config.SUBGRAPH_TIMEOUT_MS);
  let isConnected = () => false;
  const views = watchedViews({
    source,
    listen(hearer) {
      const listening = listenToNotices(config, VIEW_NOTICES_CHANNEL, hearer, logger);
      isConnected = listening.isConnected;
      return listening;
    },
    logger,
  });
  const live = operations({
    gate,
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
    addressOf,
    mayConnect: deps.mayConnect,
    largestMessage: config.BODY_LIMIT_BYTES,
    logger,
  });

  return {
    /** Answers an admitted request with a stream. */
    answerStream: streams.serve,
    /** Whether notifications of changes arrive; without them subscribers wait for the next look. */
    isConnected: () => isConnected(),
    /** Sends everybody away. */
    async leave() {
      await Promise.all([sockets.leave(LEAVE_WITHIN_MS), streams.leave(LEAVE_WITHIN_MS)]);
    },
    async close() {
      await views.close();
      await source.close();
    },
  };
}

async function answerOnce(
  apollo: ApolloServer<RouterContext>,
  { text, operationName, variables }: AdmittedRequest,
  viewer: Viewer | null,
): Promise<ExecutionResult> {
  const { body } = await apollo.executeOperation(
    { query: text, operationName: operationName ?? undefined, variables },
    { contextValue: { viewer } },
  );
  if (body.kind === 'single') return body.singleResult as ExecutionResult;
  throw new Error('a query was answered in several parts');
}
