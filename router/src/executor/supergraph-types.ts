import { type GraphQLSchema, isAbstractType, isEnumType, isInterfaceType } from 'graphql';
import type { Tree } from './response-tree.ts';

/** The types of a supergraph, of which the API schema may hide some. */
export class SupergraphTypes {
  readonly #schema: GraphQLSchema;
  readonly #names = new Map<string, ReadonlySet<string>>();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  /** Whether there is a type with this name. */
  has(name: string): boolean {
    return this.#schema.getType(name) !== undefined;
  }

  /** Whether it is a value of the enum with this name. */
  hasValue(enumName: string, value: unknown): boolean {
    const type = this.#schema.getType(enumName);
    return isEnumType(type) && typeof value === 'string' && type.getValue(value) !== undefined;
  }

  /** Whether the object's `__typename` meets the condition; `unknown` is the result without one. */
  applies(condition: string, object: Tree, unknown: boolean): boolean {
    const typename = object.__typename;
    if (!typename) return unknown;
    return typename === condition || this.#namesFor(condition).has(typename as string);
  }

  /** Whether it is the name of an interface or union. */
  isAbstract(typename: unknown): boolean {
    return typeof typename === 'string' && isAbstractType(this.#schema.getType(typename));
  }

  #namesFor(condition: string): ReadonlySet<string> {
    const cached = this.#names.get(condition);
    if (cached) return cached;
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
