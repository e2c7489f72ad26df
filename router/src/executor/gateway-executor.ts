import type { ApolloGateway } from '@apollo/gateway';
import type { Executor } from './executor.ts';

/**
 * Adapts the executor to the interface that a gateway gives Apollo Server, for queries and mutations. The
 * server's contexts must be of the executor's type.
 */
export function gatewayExecutor<Context>(executor: Executor<Context>): ApolloGateway['executor'] {
  return async ({ document, request, queryHash, context }) => {
    const prepared = executor.prepare(document, request.operationName, queryHash);
    if ('errors' in prepared) return { errors: prepared.errors };
    const { variables } = request;
    return executor.execute(prepared, { variables, context: context as Context });
  };
}
