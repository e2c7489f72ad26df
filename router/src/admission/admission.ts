import { type DocumentNode, getOperationAST, type OperationDefinitionNode } from 'graphql';
import type { Documents, ExaminedOperation } from './documents.ts';
import type { PersistedOperations } from './persisted-operations.ts';
import type { Client, Rates } from './rates.ts';
import { refusal } from './refusals.ts';
import { type OperationRequest, readRequest } from './request.ts';
import { requireText } from './text-rule.ts';

/** An operation that is valid by the schema, and may be executed. */
export interface AdmittedRequest {
  kind: 'query' | 'mutation' | 'subscription';
  /** The operation's own name in the document; null: it has none. */
  name: string | null;
  document: DocumentNode;
  text: string;
  operationName: string | null;
  variables: Record<string, unknown>;
  /** The number of its root fields. */
  rootFields: number;
  /** An upper bound of the objects in its response. */
  cost: number;
}

/** Decides for every request, in any protocol, whether it is executed. */
export interface Admission {
  /** Checks the parameters that a client sent; throws {@link RequestErrors} for a refusal. */
  examine(parameters: unknown): AdmittedRequest;
  /** Counts an examined request against its client's rates; rejects when they are exceeded. */
  charge(request: AdmittedRequest, client: Client): Promise<void>;
}

export interface AdmissionOptions {
  documents: Documents;
  /** The maximum cost of an operation. */
  maxCost: number;
  persisted: PersistedOperations;
  rates: Pick<Rates, 'countMutations' | 'spendQueryCost'>;
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { documents, maxCost, persisted, rates } = options;

  function examine(parameters: unknown): AdmittedRequest {
    const request = readRequest(parameters);
    const { text, document, operations } = documents.examine(persisted.resolveText(request));
    const operation = findOperation(document, request);
    persisted.register(request);
    const { rootFields, estimateCost } = operations.get(operation) as ExaminedOperation;
    const { operationName, variables } = request;
    requireText(variables);
    const cost = estimateCost(variables);
    if (cost > maxCost) {
      throw refusal(
        'OPERATION_TOO_COSTLY',
        `The response could be too large: the operation costs ${cost}, ${maxCost} are allowed. Select fewer fields or smaller pages.`,
      );
    }
    return {
      kind: operation.operation,
      name: operation.name?.value ?? null,
      document,
      text,
      operationName,
      variables,
      rootFields,
      cost,
    };
  }

  async function charge(
    { kind, rootFields, cost }: AdmittedRequest,
    client: Client,
  ): Promise<void> {
    if (kind === 'mutation') await rates.countMutations(rootFields, client);
    else rates.spendQueryCost(cost, client);
  }

  return { examine, charge };
}

function findOperation(
  document: DocumentNode,
  { operationName }: OperationRequest,
): OperationDefinitionNode {
  const operation = getOperationAST(document, operationName);
  if (operation) return operation;
  const message =
    operationName !== null
      ? `The document has no operation "${operationName}".`
      : 'The document has several operations: name one of them.';
  throw refusal('OPERATION_RESOLUTION_FAILURE', message);
}
