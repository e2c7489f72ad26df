import type { IncomingMessage, Server } from 'node:http';
import type { ApolloServer } from '@apollo/server';
import type { ExecutionResult } from 'graphql';
import { VIEW_NOTIFICATIONS_CHANNEL } from '#contracts/mypage.ts';
import type { Authorize } from '#platform/auth/internal-tokens.ts';
import type { Viewer } from '#platform/auth/viewer.ts';
import { subscribeToNotifications } from '#platform/messaging/notifications.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { showConnection } from '#platform/observability/metrics.ts';
import type { AdmittedRequest, Gate } from '../admission/admission.ts';
import type { FormatError } from '../admission/refusals.ts';
import type { RouterConfig } from '../config.ts';
import type { Executor } from '../executor/executor.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import type { ObservedContext } from '../http/access-log.ts';
import type { Identified } from '../identity/identity.ts';
import { loggedName, type RouterMetrics } from '../observability/metrics.ts';
import { connectionLimits } from './connection-limits.ts';
import { eventStreams } from './event-streams.ts';
import { IDLE_TIMES } from './idle-close.ts';
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
  apollo: ApolloServer<RouterContext & ObservedContext>;
  identify: (authorization: string | undefined) => Promise<Identified | null>;
  /** The address of who sends a request. */
  addressOf: (request: IncomingMessage) => string;
  /** May a page, by its origin, open a WebSocket? */
  mayConnect: (request: IncomingMessage) => boolean;
  formatError: FormatError;
  server: Server;
  metrics: RouterMetrics;
  logger: Logger;
}) {
  const { config, path, executor, authorize, gate, apollo, identify, addressOf } = deps;
  const { formatError, server, metrics, logger } = deps;
  const source = viewSource(config.MYPAGE_URL, authorize, config.SUBGRAPH_TIMEOUT_MS);
  const views = watchedViews({
    source,
    listen(subscriber) {
      const listening = subscribeToNotifications(
        config,
        VIEW_NOTIFICATIONS_CHANNEL,
        subscriber,
        logger,
      );
      showConnection(metrics.registry, 'notifications', listening.isConnected);
      return listening;
    },
    logger,
  });
  const watching = subscriptions({
    executor,
    views,
    limits: {
      perUser: config.SUBSCRIPTIONS_PER_USER,
      perProcess: config.SUBSCRIPTIONS_PER_PROCESS,
    },
    formatError,
  });
  const live = operations({
    gate,
    subscriptions: watching,
    answer: (request, viewer) => answerOnce(apollo, request, viewer),
    formatError,
    observe: (operation, seconds) => {
      metrics.observe(operation, seconds);
      const { name, kind, protocol, outcome } = operation;
      const line = { operation: loggedName(name), kind, protocol, outcome };
      logger.info({ ...line, ms: Math.round(seconds * 1_000) }, 'operation answered');
    },
  });
  const streams = eventStreams(live);
  const webSockets = connectionLimits({
    perAddress: config.WEBSOCKETS_PER_ADDRESS,
    perProcess: config.WEBSOCKETS_PER_PROCESS,
  });
  metrics.watchOpen({
    subscriptions: () => watching.count,
    webSockets: () => webSockets.open,
  });
  const sockets = serveWebSockets({
    server,
    path,
    schema: executor.schema,
    operations: live,
    identify,
    addressOf,
    mayConnect: deps.mayConnect,
    limits: webSockets,
    idleTimes: IDLE_TIMES,
    largestMessage: config.BODY_LIMIT_BYTES,
    logger,
  });

  return {
    /** Answers an admitted request with a stream. */
    answerStream: streams.serve,
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
  apollo: ApolloServer<RouterContext & ObservedContext>,
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
