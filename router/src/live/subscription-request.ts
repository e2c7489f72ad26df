import { type DocumentNode, visit } from 'graphql';
import { type Principal, requirePrincipal, requireRole } from '#platform/auth/principal.ts';
import { parseId } from '#platform/graphql/ids.ts';
import type { Executor } from '../executor/executor.ts';
import type { PreparedOperation } from '../executor/operations.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import type { SlotRange } from './calendar-feed.ts';
import { readSlotRange } from './slot-range.ts';

/** A valid subscription, as a client sent it. */
export interface SubscriptionRequest {
  document: DocumentNode;
  text: string;
  operationName: string | null;
  variables: Record<string, unknown>;
  principal: Principal | null;
  /** The client's address. */
  address: string;
}

/** What a subscription follows. */
export type SubscriptionTarget = ViewTarget | SlotsTarget;

/** The free slots of a space within [from, to). */
export interface SlotsTarget {
  kind: 'slots';
  range: SlotRange;
}

/** One booking, or all bookings of one customer or of one host's spaces. */
export type ViewTarget =
  | { kind: 'booking'; bookingId: string }
  | { kind: 'customer'; customerId: string }
  /** `spaceId`: only that space; null: all. */
  | { kind: 'host'; hostId: string; spaceId: string | null };

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

/** What the root field subscribes to, and the version that the client has already. */
export function readTarget(
  executor: Executor<RouterContext>,
  prepared: PreparedOperation,
  request: SubscriptionRequest,
): { target: SubscriptionTarget; after: number | undefined } {
  const { name, arguments: args } = executor.rootField(prepared, request.variables);
  if (name === 'freeSlots') {
    return { target: { kind: 'slots', range: readSlotRange(args) }, after: undefined };
  }
  const principal = requirePrincipal(request.principal);
  const after = (args.afterVersion as number | null | undefined) ?? undefined;
  const { userId } = principal;
  if (name === 'bookingStatus') {
    const bookingId = parseId(String(args.bookingId), 'bookingId');
    return { target: { kind: 'booking', bookingId }, after };
  }
  if (name === 'hostBookings') {
    // The rule of the field's @allow: the router executes subscriptions without mypage.
    requireRole(principal, 'host');
    const spaceId = toSpaceId(args.spaceId);
    return { target: { kind: 'host', hostId: userId, spaceId }, after: undefined };
  }
  return { target: { kind: 'customer', customerId: userId }, after };
}

function toSpaceId(spaceId: unknown): string | null {
  return spaceId === undefined || spaceId === null ? null : parseId(String(spaceId), 'spaceId');
}
