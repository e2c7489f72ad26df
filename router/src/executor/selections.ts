import {
  type CompositeType,
  type FieldSelection,
  isCompositeType,
  isLeafType,
  isListType,
  isNonNullType,
  isSubtype,
  isValidLeafValue,
  type Schema,
  type SelectionSet,
  type Type,
} from '@apollo/federation-internals';
import { type Condition, readConditions } from './conditions.ts';

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
  selection: FieldSelection;
}

/** The fields of objects of one type, in the client's order, fragments resolved. */
export interface TypeFields {
  type: CompositeType;
  fields: readonly SelectedField[];
  /** Whether fragments on other types are left out. */
  isPartial: boolean;
}

/** The selection set of one operation or field, compiled for each object type on first use. */
export class Selections {
  readonly #schema: Schema;
  readonly #set: SelectionSet;
  readonly #declaredType: CompositeType;
  readonly #clientNames: ReadonlyMap<string, string>;
  readonly #compiled: WeakMap<SelectionSet, Selections>;
  readonly #byTypename = new Map<string, TypeFields>();
  #declared: TypeFields | undefined;

  /** `clientNames` are those that differ in the plan; `compiled` is the cache of the operation, so that a named fragment is compiled once. */
  constructor(
    schema: Schema,
    set: SelectionSet,
    declaredType: CompositeType,
    clientNames: ReadonlyMap<string, string>,
    compiled: WeakMap<SelectionSet, Selections> = new WeakMap(),
  ) {
    this.#schema = schema;
    this.#set = set;
    this.#declaredType = declaredType;
    this.#clientNames = clientNames;
    this.#compiled = compiled;
  }

  /** For an object with this `__typename`, or without one; null when the schema has no such type. */
  fieldsFor(typename: unknown): TypeFields | null {
    if (!typename) {
      this.#declared ??= this.#compile(this.#declaredType, undefined);
      return this.#declared;
    }
    const cached = this.#byTypename.get(typename as string);
    if (cached) return cached;
    const type = this.#schema.type(String(typename));
    if (!type || !isCompositeType(type)) return null;
    const compiled = this.#compile(type, type);
    this.#byTypename.set(type.name, compiled);
    return compiled;
  }

  #compile(type: CompositeType, runtimeType: CompositeType | undefined): TypeFields {
    const fields: SelectedField[] = [];
    let isPartial = false;
    const add = (set: SelectionSet, parent: CompositeType, outer: readonly Condition[]): void => {
      for (const selection of set.selections()) {
        const own = readConditions(selection.element);
        if (own === 'never') continue;
        const conditions = [...outer, ...own];
        if (selection.kind === 'FieldSelection') {
          fields.push(this.#field(selection, parent, conditions));
          continue;
        }
        const { typeCondition } = selection.element;
        // A fragment on an interface says less of an object than the type of the field.
        const applies = (known: CompositeType) => !typeCondition || isSubtype(typeCondition, known);
        if (applies(type) || (!runtimeType && applies(parent))) {
          add(selection.selectionSet, typeCondition ?? parent, conditions);
        } else isPartial = true;
      }
    };
    add(this.#set, type, []);
    return { type, fields, isPartial };
  }

  #field(
    selection: FieldSelection,
    parent: CompositeType,
    conditions: readonly Condition[],
  ): SelectedField {
    const { element } = selection;
    const { definition } = element;
    let kind: SelectedField['kind'] = 'field';
    if (definition.isSchemaIntrospectionField()) kind = 'introspection';
    else if (element.name === '__typename') kind = 'typename';
    const shape = this.#shape(definition.type as Type, selection.selectionSet);
    const treeName = element.responseName();
    const responseName = this.#clientNames.get(treeName) ?? treeName;
    return { kind, responseName, treeName, parent, shape, conditions, selection };
  }

  #shape(type: Type, set: SelectionSet | undefined): Shape {
    if (isNonNullType(type)) return { kind: 'nonNull', of: this.#shape(type.ofType, set), type };
    if (isListType(type)) return { kind: 'list', of: this.#shape(type.ofType, set), type };
    if (isCompositeType(type) && set) {
      return { kind: 'object', selections: this.#selections(set, type), type };
    }
    if (!isLeafType(type)) throw new Error(`${type} cannot be selected`);
    const accepts = (value: unknown) => isValidLeafValue(this.#schema, value, type);
    return { kind: 'leaf', accepts, type };
  }

  #selections(set: SelectionSet, type: CompositeType): Selections {
    const cached = this.#compiled.get(set);
    if (cached) return cached;
    const selections = new Selections(this.#schema, set, type, this.#clientNames, this.#compiled);
    this.#compiled.set(set, selections);
    return selections;
  }
}
