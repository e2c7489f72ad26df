import type { ApolloGateway } from '@apollo/gateway';
import type { Executor } from './executor.ts';

/**
 * Makes of the executor what a gateway hands to Apollo Server: it answers queries and mutations. The
 * server's contexts must be of the executor's type.
 */
export function standIn<Context>(executor: Executor<Context>): ApolloGateway['executor'] {
  return async ({ document, request, queryHash, context }) => {
    const prepared = executor.prepare(document, request.operationName, queryHash);
    if ('errors' in prepared) return { errors: prepared.errors };
    const { variables } = request;
    return executor.execute(prepared, { variables, context: context as Context });
  };
}
