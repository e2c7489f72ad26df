import {
  type ConstDirectiveNode,
  type DocumentNode,
  Kind,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { readKey, readSubgraphNames } from './join-directives.ts';
import { getValue, isTree, type Tree } from './response-tree.ts';

/** The fields of a key, with those inside them. */
interface KeyField {
  name: string;
  inner: readonly KeyField[];
}

export type KeysByType = ReadonlyMap<string, readonly (readonly KeyField[])[]>;

/** The keys by which subgraphs resolve entities. */
export class EntityKeys {
  readonly #byService = new Map<string, Map<string, KeyField[][]>>();

  constructor(supergraph: DocumentNode) {
    const services = readSubgraphNames(supergraph);
    const readType = (type: {
      name: { value: string };
      directives?: readonly ConstDirectiveNode[] | undefined;
    }): void => {
      for (const directive of type.directives ?? []) {
        const key = readKey(directive);
        if (!key?.isResolvable) continue;
        this.#add(services.get(key.graph) ?? '', type.name.value, toFields(key.fields));
      }
    };
    visit(supergraph, { ObjectTypeDefinition: readType, InterfaceTypeDefinition: readType });
    const entities = [...this.#byService.values()].flatMap((types) => [...types.keys()]);
    for (const types of this.#byService.values()) {
      for (const type of entities) if (!types.has(type)) types.set(type, []);
    }
  }

  #add(service: string, type: string, key: KeyField[]): void {
    const types = this.#byService.get(service) ?? new Map<string, KeyField[][]>();
    this.#byService.set(service, types);
    types.set(type, [...(types.get(type) ?? []), key]);
  }

  /** Of one subgraph, by the types of entities; none for a type that it does not resolve. */
  of(service: string): KeysByType {
    return this.#byService.get(service) ?? new Map();
  }
}

/** Whether a representation has its type and a whole key of it; what is no entity, as a root, needs none. */
export function isIdentified(representation: Tree, keys: KeysByType): boolean {
  if (!representation.__typename) return false;
  const ofType = keys.get(representation.__typename as string);
  return !ofType || ofType.some((key) => hasFields(representation, key));
}

function hasFields(tree: Tree, fields: readonly KeyField[]): boolean {
  return fields.every(({ name, inner }) => {
    const value = getValue(tree, name);
    return value !== undefined && (!isTree(value) || hasFields(value, inner));
  });
}

function toFields({ selections }: SelectionSetNode): KeyField[] {
  return selections.flatMap((selection) => {
    if (selection.kind !== Kind.FIELD) return [];
    const { name, selectionSet } = selection;
    return [{ name: name.value, inner: selectionSet ? toFields(selectionSet) : [] }];
  });
}
