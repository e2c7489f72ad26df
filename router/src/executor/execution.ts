import type { FetchNode } from '@apollo/query-planner';
import type { GraphQLError } from 'graphql';
import type { ConditionValues } from './conditions.ts';
import type { EntityKeys } from './entity-keys.ts';
import type { Failures } from './failures.ts';
import { getValue, setValue, type Tree, type TreePath } from './response-tree.ts';
import type { Subgraph } from './subgraph.ts';
import type { SupergraphTypes } from './supergraph-types.ts';

/** One execution of a plan: its input, and the tree that it fills. */
export interface Execution<Context> {
  readonly subgraphs: Readonly<Record<string, Subgraph<Context>>>;
  readonly types: SupergraphTypes;
  readonly keys: EntityKeys;
  /** The client's variables, as sent. */
  readonly variables: Record<string, unknown>;
  readonly conditions: ConditionValues;
  readonly context: Context;
  /** The merged responses of the subgraphs. */
  readonly root: Tree;
  readonly errors: GraphQLError[];
  /** Errors of entities that were sent without all required fields: of fields that the client may not have selected. */
  readonly ofPartial: WeakSet<GraphQLError>;
  /** Why fields are missing in the tree. */
  readonly failures: Failures;
  /** Fields of entities that their subgraph does not know, or could not be sent; none of them is an error. */
  readonly unresolved: Failures;
}

/** The objects that a node adds to, and the path that led to them. */
export interface Cursor {
  objects: Tree[];
  path: TreePath;
}

/** The client's variables that a fetch uses; absent ones stay absent, so that their defaults apply. */
export function usedVariables(
  { variableUsages = [] }: FetchNode,
  variables: Record<string, unknown>,
): Record<string, unknown> {
  const used: Record<string, unknown> = {};
  for (const name of variableUsages) {
    const value = getValue(variables, name);
    if (value !== undefined) setValue(used, name, value);
  }
  return used;
}
