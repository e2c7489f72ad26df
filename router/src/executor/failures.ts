import type {
  FetchNode,
  PlanNode,
  QueryPlanSelectionNode,
  SubscriptionNode,
} from '@apollo/query-planner';
import { GraphQLError, Kind, parse, type SelectionSetNode } from 'graphql';
import { getValue, isTree, type Tree } from './response-tree.ts';

interface Failure {
  /** The response names that the object lacks because of it. */
  names: ReadonlySet<string>;
  error: GraphQLError;
}

/** Fetches that failed as a whole, by the objects of the tree whose fields they did not bring. */
export class Failures {
  readonly #byObject = new WeakMap<Tree, Failure[]>();
  #count = 0;

  /** The fetch brought nothing for these objects. */
  add(objects: readonly Tree[], names: ReadonlySet<string>, error: GraphQLError): void {
    for (const object of objects) {
      const failures = this.#byObject.get(object);
      if (failures) failures.push({ names, error });
      else this.#byObject.set(object, [{ names, error }]);
      this.#count += 1;
    }
  }

  /** What `from` lacks, `to` lacks too. */
  copy(from: Tree, to: Tree): void {
    const failures = this.#byObject.get(from);
    if (failures) this.#byObject.set(to, [...(this.#byObject.get(to) ?? []), ...failures]);
  }

  /** Why the object lacks the field; undefined where no fetch of it failed. */
  find(object: Tree, name: string): GraphQLError | undefined {
    if (this.#count === 0) return undefined;
    return this.#byObject.get(object)?.find(({ names }) => names.has(name))?.error;
  }

  /** Why the object lacks a part of what a fetch requires of it. */
  findIn(object: Tree, selections: readonly QueryPlanSelectionNode[]): GraphQLError | undefined {
    if (this.#count === 0) return undefined;
    for (const selection of selections) {
      const error =
        selection.kind === 'Field'
          ? this.#findInField(object, selection)
          : this.findIn(object, selection.selections);
      if (error) return error;
    }
    return undefined;
  }

  #findInField(
    object: Tree,
    { alias, name, selections }: QueryPlanSelectionNode & { kind: 'Field' },
  ): GraphQLError | undefined {
    const value = getValue(object, alias ?? name);
    if (value === undefined) return this.find(object, alias ?? name);
    if (!selections) return undefined;
    const inner = (Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value]).filter(
      isTree,
    );
    for (const each of inner) {
      const error = this.findIn(each, selections);
      if (error) return error;
    }
    return undefined;
  }
}

const namesOf = new WeakMap<FetchNode, ReadonlySet<string>>();

/** The response names that a fetch brings for each of its objects. */
export function fetchedNames(fetch: FetchNode): ReadonlySet<string> {
  const cached = namesOf.get(fetch);
  if (cached) return cached;
  const names = new Set<string>();
  const addAll = ({ selections }: SelectionSetNode, isEntity: boolean): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) addAll(selection.selectionSet, isEntity);
      else if (selection.kind === Kind.FRAGMENT_SPREAD)
        addAll(fragment(selection.name.value), isEntity);
      else if (!isEntity && fetch.requires && selection.selectionSet) {
        addAll(selection.selectionSet, true);
      } else names.add(selection.alias?.value ?? selection.name.value);
    }
  };
  const { definitions } =
    fetch.operationDocumentNode ?? parse(fetch.operation, { noLocation: true });
  const fragment = (name: string): SelectionSetNode => {
    const found = definitions.find(
      (each) => each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === name,
    );
    return (found as { selectionSet: SelectionSetNode }).selectionSet;
  };
  const operation = definitions.find((each) => each.kind === Kind.OPERATION_DEFINITION);
  if (operation) addAll(operation.selectionSet, false);
  for (const rewrite of fetch.outputRewrites ?? []) {
    if (rewrite.kind === 'KeyRenamer') names.add(rewrite.renameKeyTo);
  }
  namesOf.set(fetch, names);
  return names;
}

/** The response names at the root that a plan fetches. */
export function fetchedRootNames(node: PlanNode | SubscriptionNode | undefined): Set<string> {
  switch (node?.kind) {
    case 'Fetch':
      return new Set(node.requires ? [] : fetchedNames(node));
    case 'Sequence':
    case 'Parallel':
      return union(node.nodes.map(fetchedRootNames));
    case 'Condition':
      return union([node.ifClause, node.elseClause].map(fetchedRootNames));
    case 'Subscription':
      return union([node.primary, node.rest].map(fetchedRootNames));
    default:
      return new Set();
  }
}

/** A set of all elements. */
export function union(sets: readonly ReadonlySet<string>[]): Set<string> {
  return new Set(sets.flatMap((set) => [...set]));
}

/** The error of a field that no subgraph can be asked for, although the schema has it. */
export function notPlanned(): GraphQLError {
  return new GraphQLError(
    'No plan of the router fetches this field: the supergraph must be composed again.',
    {
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    },
  );
}

/** The error of a response with neither data nor errors. */
export function noData(serviceName: string): GraphQLError {
  return new GraphQLError(`The subgraph "${serviceName}" responded without data.`, {
    extensions: { code: 'DOWNSTREAM_SERVICE_ERROR', serviceName },
  });
}
