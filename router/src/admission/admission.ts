import { type DocumentNode, getOperationAST, type OperationDefinitionNode } from 'graphql';
import type { Documents, ExaminedOperation } from './documents.ts';
import type { PersistedOperations } from './persisted-operations.ts';
import type { Caller, Rates } from './rates.ts';
import { refusal } from './refusals.ts';
import { type AskedOperation, readRequest } from './request.ts';
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
  /** How many fields it asks for at its root. */
  rootFields: number;
  /** An upper bound of the objects that it may answer. */
  cost: number;
}

/** Says of every request, whatever its protocol, whether it may be executed. */
export interface Gate {
  /** Takes what a client sent; throws {@link RequestErrors} when it is not to be executed. */
  examine(request: unknown): AdmittedRequest;
  /** Counts an examined request against its caller's rates; rejects when that is too much. */
  charge(request: AdmittedRequest, caller: Caller): Promise<void>;
}

export interface GateOptions {
  documents: Documents;
  /** What may an operation cost at most? */
  costLimit: number;
  persisted: PersistedOperations;
  rates: Pick<Rates, 'mutate' | 'read'>;
}

export function admissionGate(options: GateOptions): Gate {
  const { documents, costLimit, persisted, rates } = options;

  function examine(request: unknown): AdmittedRequest {
    const asked = readRequest(request);
    const { text, document, operations } = documents.examine(persisted.textOf(asked));
    const operation = operationOf(document, asked);
    persisted.register(asked);
    const { rootFields, costOf } = operations.get(operation) as ExaminedOperation;
    const { operationName, variables } = asked;
    requireText(variables);
    const cost = costOf(variables);
    if (cost > costLimit) {
      throw refusal(
        'OPERATION_TOO_COSTLY',
        `The operation may answer too much: it costs ${cost}, ${costLimit} are allowed. Ask for fewer fields or smaller pages.`,
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
    caller: Caller,
  ): Promise<void> {
    if (kind === 'mutation') await rates.mutate(rootFields, caller);
    else rates.read(cost, caller);
  }

  return { examine, charge };
}

function operationOf(
  document: DocumentNode,
  { operationName }: AskedOperation,
): OperationDefinitionNode {
  const operation = getOperationAST(document, operationName);
  if (operation) return operation;
  const message =
    operationName !== null
      ? `The document has no operation "${operationName}".`
      : 'The document has several operations: name one of them.';
  throw refusal('OPERATION_RESOLUTION_FAILURE', message);
}
