import type { Supergraph } from '@apollo/federation-internals';
import type { FetchNode } from '@apollo/query-planner';
import {
  buildSchema,
  type DocumentNode,
  execute,
  type FieldNode,
  type GraphQLSchema,
  getArgumentValues,
  Kind,
  parse,
} from 'graphql';
import { type Execution, usedVariables } from './execution.ts';
import { merge, type Tree } from './response-tree.ts';
import { applyRewrites } from './rewrites.ts';
import { subgraphError } from './subgraph.ts';

/** The field that a subscription subscribes to. */
export interface SubscriptionField {
  /** The subgraph that has it. */
  serviceName: string;
  name: string;
  /** Coerced by the schema, with defaults. */
  arguments: Record<string, unknown>;
}

interface Primary {
  document: DocumentNode;
  field: FieldNode;
}

/** Executes the primary node of a subscription's plan: the part of the subgraph that has the root field. */
export class Primaries {
  readonly #supergraph: Supergraph;
  readonly #schemas = new Map<string, GraphQLSchema>();
  readonly #parsed = new WeakMap<FetchNode, Primary>();

  constructor(supergraph: Supergraph) {
    this.#supergraph = supergraph;
  }

  /** The root field, with its arguments coerced by `schema`. */
  readRootField(
    fetch: FetchNode,
    schema: GraphQLSchema,
    variables: Record<string, unknown>,
  ): SubscriptionField {
    const { field } = this.#parse(fetch);
    const name = field.name.value;
    const definition = schema.getSubscriptionType()?.getFields()[name];
    if (!definition) throw new Error(`the schema has no subscription ${name}`);
    const { serviceName } = fetch;
    return { serviceName, name, arguments: getArgumentValues(definition, field, variables) };
  }

  /** Executes on an event's root value as the subgraph would, and merges the result into the tree. */
  async execute<Context>(
    fetch: FetchNode,
    rootValue: unknown,
    { root, errors, variables, types }: Execution<Context>,
  ): Promise<void> {
    const { document, field } = this.#parse(fetch);
    const result = await execute({
      schema: this.#schemaFor(fetch.serviceName),
      document,
      rootValue: { [field.name.value]: rootValue },
      variableValues: usedVariables(fetch, variables),
    });
    for (const error of result.errors ?? []) {
      const { message, path, extensions } = error;
      errors.push(subgraphError({ message, path, extensions }, fetch.serviceName, path));
    }
    if (!result.data) return;
    applyRewrites(fetch.outputRewrites, result.data, types);
    merge(root, result.data as Tree);
  }

  #parse(fetch: FetchNode): Primary {
    const cached = this.#parsed.get(fetch);
    if (cached) return cached;
    const document = parse(fetch.operation, { noLocation: true });
    const [operation] = document.definitions;
    if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('the plan has no operation');
    const field = operation.selectionSet.selections.find((each) => each.kind === Kind.FIELD);
    if (!field) throw new Error('the subscription has no root field');
    const primary = { document, field };
    this.#parsed.set(fetch, primary);
    return primary;
  }

  /** The subgraph's own schema, extracted from the supergraph. */
  #schemaFor(serviceName: string): GraphQLSchema {
    const cached = this.#schemas.get(serviceName);
    if (cached) return cached;
    const subgraph = this.#supergraph.subgraphs().get(serviceName);
    if (!subgraph) throw new Error(`the supergraph has no subgraph "${serviceName}"`);
    // Composition has checked it.
    const valid = { assumeValid: true, assumeValidSDL: true };
    const schema = buildSchema(subgraph.toString(), valid);
    this.#schemas.set(serviceName, schema);
    return schema;
  }
}
