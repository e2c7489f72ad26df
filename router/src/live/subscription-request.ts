import { type DocumentNode, visit } from 'graphql';
import type { Principal } from '#platform/auth/principal.ts';
import type { PreparedOperation } from '../executor/operations.ts';

/** A valid subscription, as a client sent it. */
export interface SubscriptionRequest {
  document: DocumentNode;
  text: string;
  operationName: string | null;
  variables: Record<string, unknown>;
  principal: Principal | null;
}

/** What a subscription follows: one booking, or all bookings of one customer. */
export type SubscriptionTarget =
  | { bookingId: string; customerId?: never }
  | { customerId: string; bookingId?: never };

/** Subscriptions with equal keys get equal payloads, so that they can share one execution. */
export function operationKey(
  request: SubscriptionRequest,
  prepared: PreparedOperation,
  target: SubscriptionTarget,
): string {
  const names = payloadVariables(prepared, request.document);
  const variables = names.map((name) => request.variables[name] ?? null);
  return JSON.stringify([toNumber(prepared), variables, request.principal, target]);
}

const numbers = new WeakMap<PreparedOperation, number>();
let lastNumber = 0;

/** A number stands for the operation's text, which would take too much memory in thousands of keys. */
function toNumber(prepared: PreparedOperation): number {
  const assigned = numbers.get(prepared);
  if (assigned !== undefined) return assigned;
  lastNumber += 1;
  numbers.set(prepared, lastNumber);
  return lastNumber;
}

const cachedNames = new WeakMap<PreparedOperation, readonly string[]>();

/** The variables that payloads depend on: not those that are used in arguments of the root field only. */
function payloadVariables(prepared: PreparedOperation, document: DocumentNode): readonly string[] {
  const cached = cachedNames.get(prepared);
  if (cached) return cached;
  const found = new Set<string>();
  const rootFields = new Set<unknown>(prepared.operation.selectionSet.selections);
  visit(document, {
    VariableDefinition: () => false,
    Argument: (_node, _key, _parent, _path, ancestors) =>
      rootFields.has(ancestors.at(-2)) || rootFields.has(ancestors.at(-1)) ? false : undefined,
    Variable: (node) => void found.add(node.name.value),
  });
  const names = [...found].sort();
  cachedNames.set(prepared, names);
  return names;
}
