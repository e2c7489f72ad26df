import { type FieldSelection, isObjectType, type Schema } from '@apollo/federation-internals';
import { GraphQLError } from 'graphql';
import type { ConditionValues } from './conditions.ts';
import { getValue, isTree, type Tree } from './response-tree.ts';
import type { SelectedField, Shape, TypeFields } from './selections.ts';

/** A value that becomes null because of an error in it, which is reported already. */
const FAILED = Symbol('failed');
/** A null of a non-null type: the object that contains it becomes null. */
const INVALID = Symbol('invalid');

/** The part of the request that a projection depends on. */
export interface ProjectionInput {
  conditions: ConditionValues;
  /** Executes `__schema` and `__type`. */
  introspect: (field: FieldSelection) => unknown;
}

/** Completes the values of one response by the schema: GraphQL specification, "Value Completion". */
export class Completion {
  readonly errors: GraphQLError[] = [];
  readonly #schema: Schema;
  readonly #input: ProjectionInput;
  readonly #path: (string | number)[] = [];

  constructor(schema: Schema, input: ProjectionInput) {
    this.#schema = schema;
    this.#input = input;
  }

  /** Fills the output with the fields; false when a field of a non-null type is null. */
  fill(output: Tree, tree: Tree, { fields }: TypeFields): boolean {
    for (const field of fields) {
      if (this.#isLeftOut(field)) continue;
      const { responseName, selection } = field;
      const previous = output[responseName];
      if (previous === null || (previous !== undefined && !selection.selectionSet)) continue;
      if (field.kind === 'field') {
        this.#path.push(responseName);
        const value = this.#complete(field.shape, getValue(tree, responseName), previous, field);
        this.#path.pop();
        if (value === INVALID) return false;
        output[responseName] = value === FAILED ? null : value;
      } else if (previous === undefined) {
        const isTypename = field.kind === 'typename';
        const value = isTypename ? this.#typename(field, tree) : this.#input.introspect(selection);
        if (value === undefined) return false;
        output[responseName] = value;
      }
    }
    return true;
  }

  #isLeftOut({ conditions }: SelectedField): boolean {
    for (const { variable, expected } of conditions) {
      if (this.#input.conditions.get(variable) !== expected) return true;
    }
    return false;
  }

  #typename({ responseName, parent }: SelectedField, tree: Tree): string | undefined {
    const name = getValue(tree, responseName) ?? getValue(tree, '__typename');
    const type = (typeof name === 'string' && this.#schema.type(name)) || parent;
    return isObjectType(type) ? type.name : undefined;
  }

  /** `previous` is the value that another selection of the same response name has completed. */
  #complete(shape: Shape, value: unknown, previous: unknown, field: SelectedField): unknown {
    if (previous === null) return null;
    if (shape.kind === 'nonNull') {
      const completed = this.#complete(shape.of, value, previous, field);
      if (completed === null) {
        this.#report(`Cannot return null for non-nullable ${this.#describe(shape.of, field)}.`);
      }
      return completed === null || completed === FAILED ? INVALID : completed;
    }
    if (value === null || value === undefined) return null;
    if (shape.kind === 'list') return this.#completeList(shape, value, previous, field);
    if (shape.kind === 'object') return this.#completeObject(shape, value, previous, field);
    return shape.accepts(value) ? value : this.#invalidValue(shape, field);
  }

  #completeList(
    list: Shape & { kind: 'list' },
    value: unknown,
    previous: unknown,
    field: SelectedField,
  ): unknown {
    if (!Array.isArray(value)) return this.#invalidValue(list, field);
    let failed = false;
    const before = previous as unknown[] | undefined;
    const completed = value.map((element, index) => {
      this.#path.push(index);
      const item = this.#complete(list.of, element, before?.[index], field);
      this.#path.pop();
      if (item === INVALID) failed = true;
      return item === FAILED ? null : item;
    });
    return failed ? FAILED : completed;
  }

  #completeObject(
    shape: Shape & { kind: 'object' },
    value: unknown,
    previous: unknown,
    field: SelectedField,
  ): unknown {
    if (!isTree(value)) return this.#invalidValue(shape, field);
    const fields = shape.selections.fieldsFor(getValue(value, '__typename'));
    if (!fields) {
      this.#report(`Invalid __typename found for object at ${this.#describe(shape, field)}.`);
      return FAILED;
    }
    const output = (previous as Tree | undefined) ?? Object.create(null);
    return this.fill(output, value, fields) ? output : FAILED;
  }

  #invalidValue(shape: Shape, field: SelectedField): typeof FAILED {
    this.#report(`Invalid value found for ${this.#describe(shape, field)}.`);
    return FAILED;
  }

  #report(message: string): void {
    const extensions = { code: 'INVALID_GRAPHQL' };
    this.errors.push(new GraphQLError(message, { path: [...this.#path], extensions }));
  }

  #describe({ type }: Shape, { parent }: SelectedField): string {
    const last = this.#path.at(-1);
    return typeof last === 'string'
      ? `field ${parent}.${last}`
      : `array element of type ${type} at index ${last}`;
  }
}
