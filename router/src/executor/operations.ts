import { createHash } from 'node:crypto';
import { operationFromDocument, type Schema } from '@apollo/federation-internals';
import type { QueryPlan, QueryPlanner } from '@apollo/query-planner';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  print,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { conditionVariables } from './conditions.ts';
import { Introspection } from './introspection.ts';
import { Projection } from './projection.ts';

/** All that can be known of an operation before it is executed. */
export interface PreparedOperation {
  operation: OperationDefinitionNode;
  plan: QueryPlan;
  projection: Projection;
  introspection: Introspection;
  /** The variables of `@include` and `@skip`, with their defaults. */
  conditions: ReadonlyMap<string, unknown>;
}

/** An operation that cannot be executed. */
export interface Unprepared {
  errors: readonly GraphQLError[];
}

/** Prepares operations of one schema, each once; as many as `limit` are remembered. */
export class Operations {
  readonly #schema: GraphQLSchema;
  readonly #api: Schema;
  readonly #planner: QueryPlanner;
  readonly #prepared: LRUCache<string, PreparedOperation>;

  constructor(schema: GraphQLSchema, api: Schema, planner: QueryPlanner, limit: number) {
    this.#schema = schema;
    this.#api = api;
    this.#planner = planner;
    this.#prepared = new LRUCache({ max: limit });
  }

  get size(): number {
    return this.#prepared.size;
  }

  /**
   * Takes a valid document, the name of one of its operations where it has several, and the hash of
   * its text where that is known.
   */
  prepare(
    document: DocumentNode,
    operationName?: string | null,
    textHash = hashOf(document),
  ): PreparedOperation | Unprepared {
    const key = `${textHash} ${operationName ?? ''}`;
    const known = this.#prepared.get(key);
    if (known) return known;
    try {
      const prepared = this.#prepare(document, operationName ?? undefined);
      this.#prepared.set(key, prepared);
      return prepared;
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [error] };
      throw error;
    }
  }

  #prepare(document: DocumentNode, operationName: string | undefined): PreparedOperation {
    const node = operationOf(document, operationName);
    const operation = operationFromDocument(this.#api, document, { operationName });
    return {
      operation: node,
      plan: this.#planner.buildQueryPlan(operation),
      projection: new Projection(operation),
      introspection: new Introspection(this.#schema, node),
      conditions: conditionVariables(document, node),
    };
  }
}

function operationOf(document: DocumentNode, name: string | undefined): OperationDefinitionNode {
  const operation = getOperationAST(document, name);
  if (operation) return operation;
  const hasSome = document.definitions.some(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  if (name) throw new GraphQLError(`Unknown operation named "${name}".`);
  throw new GraphQLError(
    hasSome
      ? 'Must provide operation name if query contains multiple operations.'
      : 'Must provide an operation.',
  );
}

function hashOf(document: DocumentNode): string {
  const text = document.loc?.source.body ?? print(document);
  return createHash('sha256').update(text).digest('hex');
}
