import { isObjectType, type Schema } from '@apollo/federation-internals';
import { type FieldNode, GraphQLError } from 'graphql';
import type { ConditionValues } from './conditions.ts';
import { type Failures, withPath } from './failures.ts';
import { getValue, isTree, type Tree } from './response-tree.ts';
import type { SelectedField, Shape, TypeFields } from './selections.ts';
import type { SupergraphTypes } from './supergraph-types.ts';

/** A value that becomes null because of an error in it, which is reported already. */
const FAILED = Symbol('failed');
/** A null of a non-null type: the object that contains it becomes null. */
const INVALID = Symbol('invalid');

/** The part of the request that a projection depends on. */
export interface ProjectionInput {
  conditions: ConditionValues;
  /** Executes `__schema` and `__type`. */
  introspect: (field: FieldNode) => unknown;
  /** Why fields are missing in the tree. */
  failures: Failures;
  /** The types of the supergraph, of which the API schema may hide some. */
  types: SupergraphTypes;
  /** The errors that are reported already; a field has one at most. */
  reported: readonly GraphQLError[];
}

/** Completes the values of one response by the schema: GraphQL specification, "Value Completion". */
export class Completion {
  readonly errors: GraphQLError[] = [];
  readonly #schema: Schema;
  readonly #input: ProjectionInput;
  /** In the names of the plan. */
  readonly #path: (string | number)[] = [];
  #reportedPaths: Set<string> | undefined;

  constructor(schema: Schema, input: ProjectionInput) {
    this.#schema = schema;
    this.#input = input;
  }

  /** Fills the output with the fields; false when a field of a non-null type is null. */
  fill(output: Tree, tree: Tree, { fields }: TypeFields): boolean {
    for (const field of fields) {
      if (this.#isLeftOut(field)) continue;
      const { responseName, node } = field;
      const previous = output[responseName];
      if (previous === null || (previous !== undefined && !node.selectionSet)) continue;
      if (field.kind === 'field') {
        this.#path.push(field.treeName);
        const value = this.#completeField(field, tree, previous);
        this.#path.pop();
        if (value === INVALID) return false;
        output[responseName] = value === FAILED ? null : value;
      } else {
        const isTypename = field.kind === 'typename';
        const value = isTypename ? this.#typename(field, tree) : this.#input.introspect(node);
        if (value === undefined) {
          this.#report(`Invalid __typename found for object of type ${field.parent}.`);
          return false;
        }
        output[responseName] = previous === undefined ? value : combine(previous, value);
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

  #typename({ treeName, parent }: SelectedField, tree: Tree): string | undefined {
    const name = getValue(tree, treeName) ?? getValue(tree, '__typename');
    const type = (typeof name === 'string' && this.#schema.type(name)) || parent;
    return isObjectType(type) ? type.name : undefined;
  }

  #completeField(field: SelectedField, tree: Tree, previous: unknown): unknown {
    const value = getValue(tree, field.treeName);
    const failure =
      value === undefined ? this.#input.failures.find(tree, field.treeName) : undefined;
    if (!failure) return this.#complete(field.shape, value, previous, field);
    this.#reportFailure(failure.error);
    return field.shape.kind === 'nonNull' ? INVALID : FAILED;
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
    if (shape.accepts(value)) return value;
    // A value that clients must not see is null for them, and not a fault.
    const isHidden = this.#input.types.hasValue(shape.type.toString(), value);
    return isHidden ? null : this.#invalidValue(shape, field);
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
    const typename = getValue(value, '__typename');
    const fields = shape.selections.fieldsFor(typename);
    // An object that clients must not see is null for them, and not a fault.
    if (!fields && this.#isHidden(typename)) return null;
    if (!fields) {
      this.#report(`Invalid __typename found for object at ${this.#describe(shape, field)}.`);
      return FAILED;
    }
    // Of an interface object whose type was not fetched nobody knows which fragments apply.
    const isTypeUnknown = fields.isPartial && !isObjectType(fields.type);
    const failure = isTypeUnknown ? this.#input.failures.find(value, '__typename') : undefined;
    if (failure) {
      this.#reportFailure(failure.error);
      return FAILED;
    }
    const output = (previous as Tree | undefined) ?? Object.create(null);
    return this.fill(output, value, fields) ? output : FAILED;
  }

  /** Whether a type has `@inaccessible`. */
  #isHidden(name: unknown): boolean {
    return typeof name === 'string' && this.#input.types.has(name) && !this.#schema.type(name);
  }

  #invalidValue(shape: Shape, field: SelectedField): typeof FAILED {
    this.#report(`Invalid value found for ${this.#describe(shape, field)}.`);
    return FAILED;
  }

  #report(message: string): void {
    this.#reportFailure(new GraphQLError(message, { extensions: { code: 'INVALID_GRAPHQL' } }));
  }

  #reportFailure(error: GraphQLError | null): void {
    if (error && !this.#isReported()) this.errors.push(withPath(error, [...this.#path]));
  }

  /** Whether an error of a subgraph has the present path, or one below it. */
  #isReported(): boolean {
    const { reported } = this.#input;
    if (reported.length === 0) return false;
    this.#reportedPaths ??= new Set(
      reported.flatMap(({ path = [] }) => path.map((_, at) => toKey(path.slice(0, at + 1)))),
    );
    return this.#reportedPaths.has(toKey(this.#path));
  }

  #describe({ type }: Shape, field: SelectedField): string {
    const { parent } = field;
    const last = this.#path.at(-1);
    return typeof last === 'string'
      ? `field ${parent}.${field.responseName}`
      : `array element of type ${type} at index ${last}`;
  }
}

/** What two selections of one introspection field found; neither is changed, because results are cached. */
function combine(one: unknown, other: unknown): unknown {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.map((each, index) => combine(each, other[index]));
  }
  if (!isTree(one) || !isTree(other)) return one;
  const combined: Tree = { ...one };
  for (const name of Object.keys(other)) {
    combined[name] = name in one ? combine(one[name], other[name]) : other[name];
  }
  return combined;
}

function toKey(path: readonly (string | number)[]): string {
  return JSON.stringify(path);
}
