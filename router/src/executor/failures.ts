import type { QueryPlanSelectionNode } from '@apollo/query-planner';
import { GraphQLError } from 'graphql';
import { getValue, isTree, type Tree } from './response-tree.ts';

/** Why an object lacks fields. */
export interface Failure {
  /** The response names that it lacks. */
  names: Pick<ReadonlySet<string>, 'has'>;
  /** Null: the subgraph's errors are reported already, with their own paths. */
  error: GraphQLError | null;
}

const ALL_NAMES: Failure['names'] = { has: () => true };

/** Fetches that failed as a whole, by the objects of the tree whose fields they did not bring. */
export class Failures {
  readonly #byObject = new WeakMap<Tree, Failure[]>();
  #count = 0;

  /** The fetch brought nothing for these objects. */
  add(objects: readonly Tree[], names: Failure['names'], error: Failure['error']): void {
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

  /** Whatever the objects in the value lack, at any depth, they lack for this reason. */
  addBelow(value: unknown, error: Failure['error']): void {
    if (isTree(value)) this.add([value], ALL_NAMES, error);
    if (typeof value !== 'object' || value === null) return;
    for (const inner of Object.values(value)) this.addBelow(inner, error);
  }

  /** Why the object lacks the field; undefined where no fetch of it failed. */
  find(object: Tree, name: string): Failure | undefined {
    if (this.#count === 0) return undefined;
    return this.#byObject.get(object)?.find(({ names }) => names.has(name));
  }

  /** Why the object lacks a part of what a fetch requires of it. */
  findIn(object: Tree, selections: readonly QueryPlanSelectionNode[]): Failure | undefined {
    if (this.#count === 0) return undefined;
    for (const selection of selections) {
      const failure =
        selection.kind === 'Field'
          ? this.#findInField(object, selection)
          : this.findIn(object, selection.selections);
      if (failure) return failure;
    }
    return undefined;
  }

  #findInField(
    object: Tree,
    { alias, name, selections }: QueryPlanSelectionNode & { kind: 'Field' },
  ): Failure | undefined {
    const value = getValue(object, alias ?? name);
    if (value === undefined) return this.find(object, alias ?? name);
    if (!selections) return undefined;
    const inner = (Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value]).filter(
      isTree,
    );
    for (const each of inner) {
      const failure = this.findIn(each, selections);
      if (failure) return failure;
    }
    return undefined;
  }
}

/** The same error at a place of the result. */
export function withPath(
  { message, originalError, extensions }: GraphQLError,
  path: readonly (string | number)[],
): GraphQLError {
  return new GraphQLError(message, { path, originalError, extensions });
}

/** The error of a field that no subgraph can be asked for, although the schema has it. */
export function notPlanned(): GraphQLError {
  return new GraphQLError(
    'No plan of the router fetches this field: the supergraph must be composed again.',
    { extensions: { code: 'INTERNAL_SERVER_ERROR' } },
  );
}

/** Why an operation is refused that would have wrong values; the sentence says what the client can do. */
export function unplannable(sentence: string): GraphQLError {
  return new GraphQLError(`The router cannot plan this operation: ${sentence}`, {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}

/** The error of a response with neither data nor errors. */
export function noData(serviceName: string): GraphQLError {
  return new GraphQLError(`The subgraph "${serviceName}" responded without data.`, {
    extensions: { code: 'DOWNSTREAM_SERVICE_ERROR', serviceName },
  });
}
