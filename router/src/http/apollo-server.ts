import { ApolloServer, type ApolloServerOptionsWithGateway } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import type { Logger } from '#platform/observability/logger.ts';
import { type Documents, documentStore } from '../admission/documents.ts';
import {
  type PersistedOperations,
  persistedQueryCache,
} from '../admission/persisted-operations.ts';
import type { FormatError } from '../admission/refusals.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import { type ObservedContext, outcomePlugin } from './access-log.ts';
import { sandboxPage } from './sandbox-page.ts';

/** Starts Apollo Server, which executes queries and mutations that admission has let through. */
export async function startApolloServer(deps: {
  gateway: ApolloServerOptionsWithGateway<RouterContext>['gateway'];
  documents: Documents;
  persisted: PersistedOperations;
  introspection: boolean;
  /** Whether a browser gets Apollo Sandbox. */
  sandbox: boolean;
  formatError: FormatError;
  logger: Logger;
}): Promise<ApolloServer<RouterContext & ObservedContext>> {
  const { gateway, documents, persisted, introspection, sandbox, formatError, logger } = deps;
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
  return apollo;
}
