import {
  type FieldSelection,
  isObjectType,
  type Operation,
  type Schema,
} from '@apollo/federation-internals';
import { GraphQLError } from 'graphql';
import type { ConditionValues } from './conditions.ts';
import { getValue, isTree, type Tree } from './response-tree.ts';
import { type FieldsOfType, type SelectedField, Selections, type Shape } from './selections.ts';

/** A value that is null because of what is wrong within it, which is told already. */
const FAILED = Symbol('failed');
/** A null that may not be one: what it lies in becomes null. */
const INVALID = Symbol('invalid');

/** What a projection needs of the request. */
export interface ProjectionInput {
  conditions: ConditionValues;
  /** Answers `__schema` and `__type`. */
  introspect: (field: FieldSelection) => unknown;
}

export interface Projected {
  data: Tree | null;
  /** What was null or of another type against the schema. */
  errors: GraphQLError[];
}

/** Makes of the tree what the client selected: one projection for every execution of an operation. */
export class Projection {
  readonly #schema: Schema;
  readonly #selections: Selections;

  constructor(operation: Operation) {
    this.#schema = operation.schema();
    const root = this.#schema.schemaDefinition.rootType(operation.rootKind);
    if (!root) throw new Error(`the schema has no ${operation.rootKind}`);
    this.#selections = new Selections(this.#schema, operation.selectionSet, root);
  }

  project(tree: Tree, input: ProjectionInput): Projected {
    const errors: GraphQLError[] = [];
    const path: (string | number)[] = [];
    const schema = this.#schema;
    const data: Tree = Object.create(null);
    const fields = this.#selections.fieldsOf(undefined) as FieldsOfType;
    return { data: fill(data, tree, fields) ? data : null, errors };

    /** Fills the output with the fields; false when one of them is null and may not be. */
    function fill(output: Tree, tree: Tree, { fields }: FieldsOfType): boolean {
      for (const field of fields) {
        if (isLeftOut(field)) continue;
        const { responseName, selection } = field;
        const known = output[responseName];
        if (known === null || (known !== undefined && !selection.selectionSet)) continue;
        if (field.kind === 'field') {
          path.push(responseName);
          const value = complete(field.shape, getValue(tree, responseName), known, field);
          path.pop();
          if (value === INVALID) return false;
          output[responseName] = value === FAILED ? null : value;
        } else if (known === undefined) {
          const isTypename = field.kind === 'typename';
          const value = isTypename ? typename(field, tree) : input.introspect(selection);
          if (value === undefined) return false;
          output[responseName] = value;
        }
      }
      return true;
    }

    function isLeftOut({ conditions }: SelectedField): boolean {
      for (const { variable, must } of conditions) {
        if (input.conditions.get(variable) !== must) return true;
      }
      return false;
    }

    function typename({ responseName, parent }: SelectedField, tree: Tree): string | undefined {
      const name = getValue(tree, responseName) ?? getValue(tree, '__typename');
      const type = (typeof name === 'string' && schema.type(name)) || parent;
      return isObjectType(type) ? type.name : undefined;
    }

    /** `known` is what another selection of the same response name has made of it. */
    function complete(shape: Shape, value: unknown, known: unknown, field: SelectedField): unknown {
      if (known === null) return null;
      if (shape.kind === 'nonNull') {
        const completed = complete(shape.of, value, known, field);
        if (completed === null) {
          tell(`Cannot return null for non-nullable ${describe(shape.of, field)}.`);
        }
        return completed === null || completed === FAILED ? INVALID : completed;
      }
      if (value === null || value === undefined) return null;
      if (shape.kind === 'list') return completeList(shape.of, value, known, field, shape);
      if (shape.kind === 'object') return completeObject(shape, value, known, field);
      return shape.accepts(value) ? value : refuse(shape, field);
    }

    function completeList(
      shape: Shape,
      value: unknown,
      known: unknown,
      field: SelectedField,
      list: Shape,
    ): unknown {
      if (!Array.isArray(value)) return refuse(list, field);
      let failed = false;
      const before = known as unknown[] | undefined;
      const completed = value.map((element, index) => {
        path.push(index);
        const made = complete(shape, element, before?.[index], field);
        path.pop();
        if (made === INVALID) failed = true;
        return made === FAILED ? null : made;
      });
      return failed ? FAILED : completed;
    }

    function completeObject(
      shape: Shape & { kind: 'object' },
      value: unknown,
      known: unknown,
      field: SelectedField,
    ): unknown {
      if (!isTree(value)) return refuse(shape, field);
      const fields = shape.selections.fieldsOf(getValue(value, '__typename'));
      if (!fields) {
        tell(`Invalid __typename found for object at ${describe(shape, field)}.`);
        return FAILED;
      }
      const output = (known as Tree | undefined) ?? Object.create(null);
      return fill(output, value, fields) ? output : FAILED;
    }

    function refuse(shape: Shape, field: SelectedField): typeof FAILED {
      tell(`Invalid value found for ${describe(shape, field)}.`);
      return FAILED;
    }

    function tell(message: string): void {
      const extensions = { code: 'INVALID_GRAPHQL' };
      errors.push(new GraphQLError(message, { path: [...path], extensions }));
    }

    function describe({ type }: Shape, { parent }: SelectedField): string {
      const last = path.at(-1);
      return typeof last === 'string'
        ? `field ${parent}.${last}`
        : `array element of type ${type} at index ${last}`;
    }
  }
}
