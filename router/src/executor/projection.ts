import type { Schema } from '@apollo/federation-internals';
import type { DocumentNode, GraphQLError, OperationDefinitionNode } from 'graphql';
import { Completion, type ProjectionInput } from './completion.ts';
import { fragmentsIn } from './documents.ts';
import type { Tree } from './response-tree.ts';
import { Selections, type TypeFields } from './selections.ts';

export interface Projected {
  data: Tree | null;
  /** One for each field that is null because of a failed fetch, or of a value against the schema. */
  errors: GraphQLError[];
}

/** Reduces a tree to what the client selected; one projection serves every execution of an operation. */
export class Projection {
  readonly #schema: Schema;
  readonly #selections: Selections;

  /** `clientNames` are the client's response names that differ in the planned document. */
  constructor(
    schema: Schema,
    document: DocumentNode,
    { operation, selectionSet }: OperationDefinitionNode,
    clientNames: ReadonlyMap<string, string>,
  ) {
    this.#schema = schema;
    const root = schema.schemaDefinition.rootType(operation);
    if (!root) throw new Error(`the schema has no ${operation}`);
    const fragments = fragmentsIn(document);
    const input = { schema, fragments, clientNames, compiled: new WeakMap() };
    this.#selections = new Selections(input, selectionSet, root);
  }

  /** The names of the operation's fields in the tree, without those that the router answers itself. */
  rootNames(): string[] {
    const { fields } = this.#selections.fieldsFor(undefined) as TypeFields;
    return fields.filter(({ kind }) => kind === 'field').map(({ treeName }) => treeName);
  }

  project(tree: Tree, input: ProjectionInput): Projected {
    const completion = new Completion(this.#schema, input);
    const data: Tree = Object.create(null);
    const fields = this.#selections.fieldsFor(undefined) as TypeFields;
    return { data: completion.fill(data, tree, fields) ? data : null, errors: completion.errors };
  }
}
