import type { FetchNode, PlanNode, QueryPlan, SubscriptionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { unplannable } from './failures.ts';
import { readRequires, readSubgraphNames } from './join-directives.ts';
import { typeOfField } from './requirements.ts';

/** Throws a GraphQLError for a plan that would let a subgraph compute a wrong value. */
export type CheckPlan = (plan: QueryPlan) => void;

/** What a subgraph needs for a field, by its name and `Type.field`: the names of fields of the same object. */
type RequiredInputs = ReadonlyMap<string, readonly string[]>;

/**
 * Makes the check of plans before one supergraph; `schema` has all of its types. Where a field requires one
 * that has requirements itself, the planner may fetch that one together with the object that its subgraph
 * returns, without what it requires.
 */
export function planCheck(supergraph: DocumentNode, schema: GraphQLSchema): CheckPlan {
  const inputs = readInputs(supergraph);
  if (inputs.size === 0) return () => {};
  return (plan) => {
    const field = fetchesOf(plan.node)
      .map((fetch) => findUnmet(fetch, inputs, schema))
      .find((found) => found !== undefined);
    if (field === undefined) return;
    throw unplannable(
      `another field requires "${field}", which requires fields that would not be fetched before it. Select them from another field, or in another operation.`,
    );
  };
}

/** Reads the fields with `@requires` that are themselves required. */
function readInputs(supergraph: DocumentNode): RequiredInputs {
  const subgraphs = readSubgraphNames(supergraph);
  const inputs = new Map<string, readonly string[]>();
  const required = new Set<string>();
  for (const { graph, type, field, fields } of readRequires(supergraph)) {
    inputs.set(toKey(subgraphs.get(graph), type, field), fieldNames(fields));
    visit(fields, { Field: ({ name }) => void required.add(name.value) });
  }
  return new Map([...inputs].filter(([key]) => required.has(key.slice(key.lastIndexOf('.') + 1))));
}

/** The field that the fetch selects without what it requires. */
function findUnmet(
  { serviceName, operation, requires }: FetchNode,
  inputs: RequiredInputs,
  schema: GraphQLSchema,
): string | undefined {
  const search = (
    set: SelectionSetNode,
    type: GraphQLNamedType | undefined,
    isEntity: boolean,
  ): string | undefined => {
    const names = new Set(fieldNames(set));
    for (const selection of set.selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) continue;
      const { selectionSet } = selection;
      let found: string | undefined;
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition?.name.value;
        const inner = condition === undefined ? type : schema.getType(condition);
        found = search(selection.selectionSet, inner, isEntity);
      } else {
        const name = selection.name.value;
        const needed = inputs.get(toKey(serviceName, type?.name ?? '', name)) ?? [];
        // Of an entity itself the representation has them.
        if (!isEntity && needed.some((each) => !names.has(each))) return name;
        if (selectionSet) found = search(selectionSet, typeOfField(type, name), false);
      }
      if (found !== undefined) return found;
    }
    return undefined;
  };

  const [definition] = parse(operation, { noLocation: true }).definitions as [
    OperationDefinitionNode,
  ];
  if (!requires) {
    const root = schema.getRootType(definition.operation) ?? undefined;
    return search(definition.selectionSet, root, false);
  }
  const [entities] = definition.selectionSet.selections;
  if (entities?.kind !== Kind.FIELD || !entities.selectionSet) return undefined;
  return search(entities.selectionSet, undefined, true);
}

/** The names of the fields of a set, those in fragments included. */
function fieldNames({ selections }: SelectionSetNode): string[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value];
    return selection.kind === Kind.INLINE_FRAGMENT ? fieldNames(selection.selectionSet) : [];
  });
}

function fetchesOf(node: PlanNode | SubscriptionNode | undefined): FetchNode[] {
  switch (node?.kind) {
    case 'Fetch':
      return [node];
    case 'Flatten':
      return fetchesOf(node.node);
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap(fetchesOf);
    case 'Condition':
      return [...fetchesOf(node.ifClause), ...fetchesOf(node.elseClause)];
    case 'Subscription':
      return [node.primary, ...fetchesOf(node.rest)];
    default:
      return [];
  }
}

function toKey(subgraph: string | undefined, type: string, field: string): string {
  return `${subgraph} ${type}.${field}`;
}
