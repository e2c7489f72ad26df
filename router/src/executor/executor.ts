import { type Schema, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLScalarType,
  type GraphQLSchema,
  getVariableValues,
} from 'graphql';
import { conditionValues } from './conditions.ts';
import type { Execution } from './execution.ts';
import { Operations, type PreparedOperation, type Unprepared } from './operations.ts';
import { executePlan } from './plan.ts';
import { Primaries, type SubscriptionField } from './primary.ts';
import { withScalarRules } from './scalar-rules.ts';
import type { Subgraph } from './subgraph.ts';
import { TypeConditions } from './type-conditions.ts';

const OPERATION_CACHE_SIZE = 1_000;

export interface ExecutorOptions<Context> {
  supergraphSdl: string;
  /** By the names that the supergraph gives them. */
  subgraphs: Readonly<Record<string, Subgraph<Context>>>;
  /** Scalars with rules of their own; the supergraph knows names only. */
  scalars?: readonly GraphQLScalarType[];
  /** How many prepared operations are remembered. */
  remember?: number;
}

export interface Request<Context> {
  variables?: Record<string, unknown>;
  context: Context;
}

export interface Event<Context> extends Request<Context> {
  /** The value of the root field: JSON with the fields of the subgraph's type under their own names. */
  rootValue: unknown;
}

/** Executes operations against the subgraphs of one supergraph, by the plans of Apollo's planner. */
export class Executor<Context> {
  /** What clients see. */
  readonly schema: GraphQLSchema;
  readonly operations: Operations;
  readonly #primaries: Primaries;
  readonly #subgraphs: ExecutorOptions<Context>['subgraphs'];
  readonly #types: TypeConditions;

  /** Throws when the supergraph is not valid, or names a subgraph that is not given. */
  constructor(options: ExecutorOptions<Context>) {
    const supergraph = Supergraph.build(options.supergraphSdl);
    this.#subgraphs = options.subgraphs;
    for (const { name } of supergraph.subgraphsMetadata()) {
      if (!this.#subgraphs[name]) throw new Error(`there is no way to the subgraph "${name}"`);
    }
    const api: Schema = supergraph.apiSchema();
    this.schema = withScalarRules(api.toGraphQLJSSchema(), options.scalars ?? []);
    this.#types = new TypeConditions(supergraph.schema.toGraphQLJSSchema());
    this.#primaries = new Primaries(supergraph);
    const planner = new QueryPlanner(supergraph);
    const limit = options.remember ?? OPERATION_CACHE_SIZE;
    this.operations = new Operations(this.schema, api, planner, limit);
  }

  /** Plans an operation of a valid document, once; returns errors when it cannot be planned. */
  prepare(
    document: DocumentNode,
    operationName?: string | null,
    textHash?: string,
  ): PreparedOperation | Unprepared {
    return this.operations.prepare(document, operationName, textHash);
  }

  /** What is wrong with the variables, if anything. */
  checkVariables(
    { operation }: PreparedOperation,
    variables: Record<string, unknown>,
  ): readonly GraphQLError[] {
    const definitions = operation.variableDefinitions;
    if (!definitions?.length) return [];
    return getVariableValues(this.schema, definitions, variables).errors ?? [];
  }

  /** Answers a query or mutation; never rejects for what a client sends or a subgraph answers. */
  async execute(
    prepared: PreparedOperation,
    { variables = {}, context }: Request<Context>,
  ): Promise<ExecutionResult> {
    const { node } = prepared.plan;
    if (node?.kind === 'Subscription') {
      const extensions = { code: 'BAD_REQUEST' };
      return { errors: [new GraphQLError('A subscription has no single answer.', { extensions })] };
    }
    const errors = this.checkVariables(prepared, variables);
    if (errors.length > 0) return { errors };
    return answering(async () => {
      const execution = this.#begin(prepared, variables, context);
      if (node) await executePlan(node, execution);
      return complete(prepared, execution);
    });
  }

  /** Which field a subscription subscribes to; throws what {@link checkVariables} finds wrong. */
  rootField(prepared: PreparedOperation, variables: Record<string, unknown>): SubscriptionField {
    const { primary } = subscriptionOf(prepared);
    const definitions = prepared.operation.variableDefinitions ?? [];
    const { coerced, errors } = getVariableValues(this.schema, definitions, variables);
    if (errors) throw errors[0];
    return this.#primaries.rootFieldOf(primary, this.schema, coerced);
  }

  /**
   * Answers one event of a subscription: its root value's own fields, and what the other subgraphs
   * know about them. The variables must have been checked.
   */
  async executeEvent(
    prepared: PreparedOperation,
    { rootValue, variables = {}, context }: Event<Context>,
  ): Promise<ExecutionResult> {
    const { primary, rest } = subscriptionOf(prepared);
    return answering(async () => {
      const execution = this.#begin(prepared, variables, context);
      await this.#primaries.execute(primary, rootValue, execution);
      if (rest) await executePlan(rest, execution);
      return complete(prepared, execution);
    });
  }

  #begin(
    { conditions }: PreparedOperation,
    variables: Record<string, unknown>,
    context: Context,
  ): Execution<Context> {
    return {
      subgraphs: this.#subgraphs,
      types: this.#types,
      variables,
      conditions: conditionValues(conditions, variables),
      context,
      root: {},
      errors: [],
    };
  }
}

function subscriptionOf({ plan: { node } }: PreparedOperation) {
  if (node?.kind !== 'Subscription') throw new Error('only subscriptions have events');
  return node;
}

/** What is thrown as a GraphQLError is an answer without data. */
async function answering(answer: () => Promise<ExecutionResult>): Promise<ExecutionResult> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    throw error;
  }
}

function complete<Context>(
  { projection, introspection }: PreparedOperation,
  { root, errors, conditions, variables }: Execution<Context>,
): ExecutionResult {
  const projected = projection.project(root, {
    conditions,
    introspect: (field) => introspection.answer(field, variables),
  });
  const { data } = projected;
  if (errors.length > 0) return { errors, data };
  // Nulls that no subgraph gave a reason for: as the gateway tells them, beside the errors.
  if (projected.errors.length > 0)
    return { data, extensions: { valueCompletion: projected.errors } };
  return { data };
}
