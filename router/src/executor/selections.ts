import {
  type CompositeType,
  isCompositeType,
  isLeafType,
  isListType,
  isNonNullType,
  isSubtype,
  isUnionType,
  isValidLeafValue,
  type Schema,
  type Type,
} from '@apollo/federation-internals';
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type FragmentSpreadNode,
  type InlineFragmentNode,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { type Condition, readConditions } from './conditions.ts';
import { responseNameOf } from './documents.ts';

/** The shape of a field's value. */
export type Shape =
  | { kind: 'nonNull'; of: Shape; type: Type }
  | { kind: 'list'; of: Shape; type: Type }
  | { kind: 'object'; selections: Selections; type: Type }
  | { kind: 'leaf'; accepts: (value: unknown) => boolean; type: Type };

/** A field that the client selects, on objects of one type. */
export interface SelectedField {
  kind: 'field' | 'typename' | 'introspection';
  /** The client's. */
  responseName: string;
  /** The name of the value in the tree, which is the plan's. */
  treeName: string;
  /** The type that the selection was written for. */
  parent: CompositeType;
  shape: Shape;
  /** The field is left out unless all of them are met. */
  conditions: readonly Condition[];
  node: FieldNode;
}

/** The fields of objects of one type, in the client's order, fragments resolved. */
export interface TypeFields {
  type: CompositeType;
  fields: readonly SelectedField[];
  /** Whether fragments on other types are left out. */
  isPartial: boolean;
}

/** What all selection sets of one operation share. */
export interface SelectionsInput {
  schema: Schema;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** The client's response names that differ in the plan. */
  clientNames: ReadonlyMap<string, string>;
  /** A named fragment is compiled once. */
  compiled: WeakMap<SelectionSetNode, Selections>;
}

/**
 * The selection set of one operation or field, compiled for each object type on first use. It is read from the
 * document: the planner's model of an operation merges fragments, which changes the order of their fields.
 */
export class Selections {
  readonly #input: SelectionsInput;
  readonly #set: SelectionSetNode;
  readonly #declaredType: CompositeType;
  readonly #byTypename = new Map<string, TypeFields>();
  #declared: TypeFields | undefined;

  constructor(input: SelectionsInput, set: SelectionSetNode, declaredType: CompositeType) {
    this.#input = input;
    this.#set = set;
    this.#declaredType = declaredType;
  }

  /** For an object with this `__typename`, or without one; null when the schema has no such type. */
  fieldsFor(typename: unknown): TypeFields | null {
    if (!typename) {
      this.#declared ??= this.#compile(this.#declaredType, undefined);
      return this.#declared;
    }
    const cached = this.#byTypename.get(typename as string);
    if (cached) return cached;
    const type = this.#input.schema.type(String(typename));
    if (!type || !isCompositeType(type)) return null;
    const compiled = this.#compile(type, type);
    this.#byTypename.set(type.name, compiled);
    return compiled;
  }

  #compile(type: CompositeType, runtimeType: CompositeType | undefined): TypeFields {
    const fields: SelectedField[] = [];
    let isPartial = false;
    // A fragment on an interface says less of an object than the type of the field.
    const applies = (condition: CompositeType, parent: CompositeType): boolean =>
      isSubtype(condition, type) || (!runtimeType && isSubtype(condition, parent));
    /** `written` is the type that the set is written for, `parent` what is known of the object. */
    const add = (
      { selections }: SelectionSetNode,
      written: CompositeType,
      parent: CompositeType,
      outer: readonly Condition[],
    ): void => {
      for (const selection of selections) {
        const own = readConditions(selection);
        if (own === 'never') continue;
        const conditions = [...outer, ...own];
        if (selection.kind === Kind.FIELD) {
          fields.push(this.#field(selection, written, parent, conditions));
          continue;
        }
        const { typeCondition, selectionSet } = this.#fragment(selection);
        const condition = typeCondition && this.#compositeType(typeCondition.name.value);
        if (!condition || applies(condition, parent)) {
          add(selectionSet, condition ?? written, condition ?? parent, conditions);
        } else isPartial = true;
      }
    };
    add(this.#set, this.#declaredType, type, []);
    return { type, fields, isPartial };
  }

  #fragment(selection: InlineFragmentNode | FragmentSpreadNode) {
    if (selection.kind === Kind.INLINE_FRAGMENT) return selection;
    const fragment = this.#input.fragments.get(selection.name.value);
    if (!fragment) throw new Error(`the document has no fragment "${selection.name.value}"`);
    return fragment;
  }

  #compositeType(name: string): CompositeType {
    const type = this.#input.schema.type(name);
    if (!type || !isCompositeType(type)) throw new Error(`${name} has no fields`);
    return type;
  }

  #field(
    node: FieldNode,
    written: CompositeType,
    parent: CompositeType,
    conditions: readonly Condition[],
  ): SelectedField {
    const name = node.name.value;
    const treeName = responseNameOf(node);
    const responseName = this.#input.clientNames.get(treeName) ?? treeName;
    const common = { responseName, treeName, parent, conditions, node };
    if (name.startsWith('__')) {
      const shape = this.#shape(this.#input.schema.stringType(), undefined);
      return { ...common, kind: name === '__typename' ? 'typename' : 'introspection', shape };
    }
    const type = isUnionType(written) ? undefined : written.field(name)?.type;
    if (!type) throw new Error(`the type ${written} has no field "${name}"`);
    return { ...common, kind: 'field', shape: this.#shape(type, node.selectionSet) };
  }

  #shape(type: Type, set: SelectionSetNode | undefined): Shape {
    if (isNonNullType(type)) return { kind: 'nonNull', of: this.#shape(type.ofType, set), type };
    if (isListType(type)) return { kind: 'list', of: this.#shape(type.ofType, set), type };
    if (isCompositeType(type) && set) {
      return { kind: 'object', selections: this.#selections(set, type), type };
    }
    if (!isLeafType(type)) throw new Error(`${type} cannot be selected`);
    const accepts = (value: unknown) => isValidLeafValue(this.#input.schema, value, type);
    return { kind: 'leaf', accepts, type };
  }

  #selections(set: SelectionSetNode, type: CompositeType): Selections {
    const { compiled } = this.#input;
    const cached = compiled.get(set);
    if (cached) return cached;
    const selections = new Selections(this.#input, set, type);
    compiled.set(set, selections);
    return selections;
  }
}
