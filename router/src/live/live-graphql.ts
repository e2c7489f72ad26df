import type { IncomingMessage, Server } from 'node:http';
import type { ApolloServer } from '@apollo/server';
import type { ExecutionResult } from 'graphql';
import type { Principal } from '#platform/auth/principal.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { Admission, AdmittedRequest } from '../admission/admission.ts';
import type { FormatError } from '../admission/refusals.ts';
import type { Executor } from '../executor/executor.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import type { ObservedContext } from '../http/access-log.ts';
import type { Identify } from '../identity/identity.ts';
import {
  type ObservedOperation,
  type RouterMetrics,
  toLoggedName,
} from '../observability/metrics.ts';
import { connectionLimits } from './connection-limits.ts';
import { eventStreams } from './event-streams.ts';
import { IDLE_TIMES } from './idle-close.ts';
import { operations } from './operations.ts';
import type { LiveSettings } from './settings.ts';
import { subscriptions } from './subscriptions.ts';
import type { WatchedCalendars } from './watched-calendars.ts';
import type { WatchedViews } from './watched-views.ts';
import { serveWebSockets } from './websocket.ts';

/** At shutdown connections are closed over this time, so that clients do not reconnect all at once. */
const CLOSE_MS = 3_000;

/**
 * GraphQL with any number of results for one request, over every protocol that clients use: WebSocket,
 * Server-Sent Events and multipart HTTP, all at the address of queries.
 */
export function liveGraphql(deps: {
  settings: LiveSettings;
  maxMessageBytes: number;
  path: string;
  executor: Executor<RouterContext>;
  views: WatchedViews;
  calendars: WatchedCalendars;
  admission: Admission;
  /** Executes queries and mutations. */
  apollo: ApolloServer<RouterContext & ObservedContext>;
  identify: Identify;
  /** The client's address, for its rates. */
  findAddress: (request: IncomingMessage) => string;
  /** Whether a page of the request's origin may open a WebSocket. */
  mayConnect: (request: IncomingMessage) => boolean;
  formatError: FormatError;
  server: Server;
  metrics: RouterMetrics;
  logger: Logger;
}) {
  const { settings, executor, views, calendars, admission, apollo, formatError, metrics, logger } =
    deps;
  const open = subscriptions({
    executor,
    views,
    calendars,
    limits: {
      perUser: settings.SUBSCRIPTIONS_PER_USER,
      perAddress: settings.SUBSCRIPTIONS_PER_ADDRESS,
      perProcess: settings.SUBSCRIPTIONS_PER_PROCESS,
    },
    formatError,
  });
  const limits = connectionLimits({
    perAddress: settings.WEBSOCKETS_PER_ADDRESS,
    perProcess: settings.WEBSOCKETS_PER_PROCESS,
  });
  metrics.observeOpen({ subscriptions: () => open.count, webSockets: () => limits.open });
  const live = operations({
    admission,
    subscriptions: open,
    execute: (request, principal) => executeOnce(apollo, request, principal),
    formatError,
    observe: (operation, seconds) => observe(operation, seconds, metrics, logger),
  });
  const streams = eventStreams(live);
  const sockets = serveWebSockets({
    ...deps,
    schema: executor.schema,
    operations: live,
    limits,
    idleTimes: IDLE_TIMES,
  });

  return {
    /** Responds to an admitted request with a stream. */
    serveStream: streams.serve,
    /** Closes all WebSockets and streams. */
    async close() {
      await Promise.all([sockets.close(CLOSE_MS), streams.close(CLOSE_MS)]);
    },
  };
}

function observe(
  operation: ObservedOperation,
  seconds: number,
  metrics: RouterMetrics,
  logger: Logger,
): void {
  metrics.observe(operation, seconds);
  const { name, kind, protocol, outcome } = operation;
  const fields = { operation: toLoggedName(name), kind, protocol, outcome };
  logger.info({ ...fields, ms: Math.round(seconds * 1_000) }, 'operation completed');
}

async function executeOnce(
  apollo: ApolloServer<RouterContext & ObservedContext>,
  { text, operationName, variables }: AdmittedRequest,
  principal: Principal | null,
): Promise<ExecutionResult> {
  const { body } = await apollo.executeOperation(
    { query: text, operationName: operationName ?? undefined, variables },
    { contextValue: { principal } },
  );
  if (body.kind === 'single') return body.singleResult as ExecutionResult;
  throw new Error('a query has an incremental result');
}
