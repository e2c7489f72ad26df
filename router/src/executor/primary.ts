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
  /** By the schema's rules, defaults included. */
  arguments: Record<string, unknown>;
}

interface Primary {
  document: DocumentNode;
  field: FieldNode;
}

/** Executes what the plans of subscriptions call primary: the subgraph's own part. */
export class Primaries {
  readonly #supergraph: Supergraph;
  readonly #schemas = new Map<string, GraphQLSchema>();
  readonly #parsed = new WeakMap<FetchNode, Primary>();

  constructor(supergraph: Supergraph) {
    this.#supergraph = supergraph;
  }

  /** The root field, with the arguments that the variables give it by the rules of `schema`. */
  rootFieldOf(
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

  /** Answers as the subgraph itself would, from an event's root value, and merges that into the tree. */
  async execute<Context>(
    fetch: FetchNode,
    rootValue: unknown,
    { root, errors, variables, types }: Execution<Context>,
  ): Promise<void> {
    const { document, field } = this.#parse(fetch);
    const answer = await execute({
      schema: this.#schemaOf(fetch.serviceName),
      document,
      rootValue: { [field.name.value]: rootValue },
      variableValues: usedVariables(fetch, variables),
    });
    for (const error of answer.errors ?? []) {
      const { message, path, extensions } = error;
      errors.push(subgraphError({ message, path, extensions }, fetch.serviceName, path));
    }
    if (!answer.data) return;
    applyRewrites(fetch.outputRewrites, answer.data, types);
    merge(root, answer.data as Tree);
  }

  #parse(fetch: FetchNode): Primary {
    const known = this.#parsed.get(fetch);
    if (known) return known;
    const document = parse(fetch.operation, { noLocation: true });
    const [operation] = document.definitions;
    if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('a plan without operation');
    const field = operation.selectionSet.selections.find((each) => each.kind === Kind.FIELD);
    if (!field) throw new Error('a subscription without a root field');
    const primary = { document, field };
    this.#parsed.set(fetch, primary);
    return primary;
  }

  /** The subgraph's own schema, as the supergraph remembers it. */
  #schemaOf(serviceName: string): GraphQLSchema {
    const known = this.#schemas.get(serviceName);
    if (known) return known;
    const subgraph = this.#supergraph.subgraphs().get(serviceName);
    if (!subgraph) throw new Error(`the supergraph has no subgraph "${serviceName}"`);
    // Composition has checked it.
    const valid = { assumeValid: true, assumeValidSDL: true };
    const schema = buildSchema(subgraph.toString(), valid);
    this.#schemas.set(serviceName, schema);
    return schema;
  }
}
