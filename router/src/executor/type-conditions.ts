import { type GraphQLSchema, isAbstractType, isInterfaceType } from 'graphql';
import type { Tree } from './response-tree.ts';

/** Answers, for one schema, to which types a type condition applies. */
export class TypeConditions {
  readonly #schema: GraphQLSchema;
  readonly #names = new Map<string, ReadonlySet<string>>();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  /** Whether the object's `__typename` meets the condition; `unknown` is the answer without one. */
  applies(condition: string, object: Tree, unknown: boolean): boolean {
    const typename = object.__typename;
    if (!typename) return unknown;
    return typename === condition || this.#namesOf(condition).has(typename as string);
  }

  #namesOf(condition: string): ReadonlySet<string> {
    const known = this.#names.get(condition);
    if (known) return known;
    const type = this.#schema.getType(condition);
    const types = isAbstractType(type) ? [...this.#schema.getPossibleTypes(type)] : [];
    const interfaces = isInterfaceType(type)
      ? this.#schema.getImplementations(type).interfaces
      : [];
    const names = new Set([...types, ...interfaces].map(({ name }) => name));
    this.#names.set(condition, names);
    return names;
  }
}
