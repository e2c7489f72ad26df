import type { PlanNode } from '@apollo/query-planner';
import { GraphQLError } from 'graphql';
import type { Execution } from './execution.ts';
import type { Failures } from './failures.ts';
import { executePlan } from './plan.ts';
import { getValue, isTree, setValue, type Tree } from './response-tree.ts';
import type { SupergraphTypes } from './supergraph-types.ts';

/**
 * Executes a further plan of a query, and adds what it brings to the execution's tree. `ignored` are names of
 * values that only fetches read: they may differ between the plans.
 */
export async function addPart<Context>(
  node: PlanNode,
  execution: Execution<Context>,
  ignored: ReadonlySet<string>,
): Promise<void> {
  const { root, errors } = execution;
  const part = { ...execution, root: {}, errors: [] };
  await executePlan(node, part);
  // What both plans fetch may have failed twice.
  const reported = new Set(errors.map(toKey));
  errors.push(...part.errors.filter((error) => !reported.has(toKey(error))));
  new Addition(ignored, execution).addTree(root, part.root);
}

function toKey({ message, path }: GraphQLError): string {
  return JSON.stringify([message, path]);
}

class Addition {
  readonly #ignored: ReadonlySet<string>;
  readonly #failures: Failures;
  readonly #types: SupergraphTypes;

  constructor(
    ignored: ReadonlySet<string>,
    { failures, types }: Pick<Execution<never>, 'failures' | 'types'>,
  ) {
    this.#ignored = ignored;
    this.#failures = failures;
    this.#types = types;
  }

  /** Throws a GraphQLError when the trees do not describe the same objects: data has changed in between. */
  addTree(target: Tree, added: Tree): void {
    // What only one plan has brought lacks the fields of the other one.
    for (const name of Object.keys(target)) {
      const failure = this.#failures.find(added, name);
      if (failure && getValue(added, name) === undefined) {
        this.#failures.addBelow(target[name], failure.error);
      }
    }
    for (const name of Object.keys(added)) {
      const value = added[name];
      const present = getValue(target, name);
      if (present === undefined) {
        const failure = this.#failures.find(target, name);
        if (failure) this.#failures.addBelow(value, failure.error);
      }
      if (present === undefined || this.#isVaguer(present, name)) setValue(target, name, value);
      else if (this.#isVaguer(value, name)) continue;
      else if (value !== undefined && !this.#ignored.has(name)) this.#addValue(present, value);
    }
    this.#failures.copy(added, target);
  }

  /** An interface object has its interface as type where only its own subgraph was asked. */
  #isVaguer(value: unknown, name: string): boolean {
    return name === '__typename' && this.#types.isAbstract(value);
  }

  #addValue(present: unknown, added: unknown): void {
    if (isTree(present) && isTree(added)) {
      this.addTree(present, added);
    } else if (Array.isArray(present) && Array.isArray(added) && present.length === added.length) {
      for (const [index, value] of added.entries()) this.#addValue(present[index], value);
    } else if (present !== added) {
      throw new GraphQLError('The data changed while it was read: send the query again.', {
        extensions: { code: 'SERVICE_UNAVAILABLE' },
      });
    }
  }
}
