import { type Schema, Supergraph } from '@apollo/federation-internals';
import { type PlanNode, QueryPlanner } from '@apollo/query-planner';
import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLScalarType,
  type GraphQLSchema,
  getVariableValues,
  parse,
} from 'graphql';
import { conditionValues } from './conditions.ts';
import { EntityKeys } from './entity-keys.ts';
import type { Execution } from './execution.ts';
import { Failures, notPlanned, withPath } from './failures.ts';
import { Operations, type PreparedOperation, type Unprepared } from './operations.ts';
import { addPart } from './parts.ts';
import { executePlan } from './plan.ts';
import { readPlannerNames } from './planned-document.ts';
import { Primaries, type SubscriptionField } from './primary.ts';
import { readRequirements } from './requirements.ts';
import type { Tree } from './response-tree.ts';
import { withScalarRules } from './scalar-rules.ts';
import type { Subgraph } from './subgraph.ts';
import { SupergraphTypes } from './supergraph-types.ts';
import { planCheck } from './unmet-requirements.ts';
import { withoutUnresolvableKeys } from './unresolvable-keys.ts';

const OPERATION_CACHE_SIZE = 1_000;

export interface ExecutorOptions<Context> {
  supergraphSdl: string;
  /** By their names in the supergraph. */
  subgraphs: Readonly<Record<string, Subgraph<Context>>>;
  /** Scalars with rules for input; the supergraph has only their names. */
  scalars?: readonly GraphQLScalarType[];
  /** The number of prepared operations in the cache. */
  cacheSize?: number;
}

export interface ExecutionRequest<Context> {
  variables?: Record<string, unknown>;
  context: Context;
}

export interface SubscriptionEvent<Context> extends ExecutionRequest<Context> {
  /** The value of the root field: JSON with the fields of the subgraph's type under their own names. */
  rootValue: unknown;
}

/** Executes operations against the subgraphs of one supergraph, by the plans of Apollo's planner. */
export class Executor<Context> {
  /** The schema that clients see. */
  readonly schema: GraphQLSchema;
  readonly operations: Operations;
  readonly #primaries: Primaries;
  readonly #subgraphs: ExecutorOptions<Context>['subgraphs'];
  readonly #types: SupergraphTypes;
  readonly #keys: EntityKeys;

  /** Throws when the supergraph is not valid, or names a subgraph that is not given. */
  constructor(options: ExecutorOptions<Context>) {
    const document = parse(options.supergraphSdl);
    const supergraph = Supergraph.build(withoutUnresolvableKeys(document));
    this.#subgraphs = options.subgraphs;
    for (const { name } of supergraph.subgraphsMetadata()) {
      if (!this.#subgraphs[name]) throw new Error(`the subgraph "${name}" has no client`);
    }
    const api: Schema = supergraph.apiSchema();
    this.schema = withScalarRules(api.toGraphQLJSSchema(), options.scalars ?? []);
    const allTypes = supergraph.schema.toGraphQLJSSchema();
    this.#types = new SupergraphTypes(allTypes);
    this.#keys = new EntityKeys(document);
    this.#primaries = new Primaries(supergraph);
    const planner = new QueryPlanner(supergraph);
    const plannerNames = readPlannerNames(document);
    this.operations = new Operations({
      schema: this.schema,
      api,
      planner,
      plannerNames,
      requirements: readRequirements(document, allTypes),
      checkPlan: planCheck(document, allTypes),
      cacheSize: options.cacheSize ?? OPERATION_CACHE_SIZE,
    });
  }

  /** Plans an operation of a valid document, once; returns errors when it cannot be planned. */
  prepare(
    document: DocumentNode,
    operationName?: string | null,
    textHash?: string,
  ): PreparedOperation | Unprepared {
    return this.operations.prepare(document, operationName, textHash);
  }

  /** Returns the errors in the variables. */
  checkVariables(
    { operation }: PreparedOperation,
    variables: Record<string, unknown>,
  ): readonly GraphQLError[] {
    const definitions = operation.variableDefinitions;
    if (!definitions?.length) return [];
    return getVariableValues(this.schema, definitions, variables).errors ?? [];
  }

  /** Executes a query or mutation; never rejects because of a client's request or a subgraph's response. */
  async execute(
    prepared: PreparedOperation,
    { variables = {}, context }: ExecutionRequest<Context>,
  ): Promise<ExecutionResult> {
    const { node } = prepared.plan;
    if (node?.kind === 'Subscription') {
      const extensions = { code: 'BAD_REQUEST' };
      return { errors: [new GraphQLError('A subscription has no single result.', { extensions })] };
    }
    const errors = this.checkVariables(prepared, variables);
    if (errors.length > 0) return { errors };
    return catchGraphQLErrors(async () => {
      const execution = this.#startExecution(prepared, variables, context);
      if (node) await executePlan(node, execution);
      for (const { node } of prepared.furtherPlans) {
        if (node) await addPart(node as PlanNode, execution, prepared.ignored);
      }
      const result = toResult(prepared, execution);
      // As for an operation that cannot be planned, there is no data when nothing of it can be fetched.
      return isFetched(prepared) || !result.errors ? result : { errors: result.errors };
    });
  }

  /** The root field of a subscription; throws what {@link checkVariables} would return. */
  rootField(prepared: PreparedOperation, variables: Record<string, unknown>): SubscriptionField {
    const { primary } = subscriptionNode(prepared);
    const definitions = prepared.operation.variableDefinitions ?? [];
    const { coerced, errors } = getVariableValues(this.schema, definitions, variables);
    if (errors) throw errors[0];
    return this.#primaries.readRootField(primary, this.schema, coerced);
  }

  /**
   * Executes a subscription for one event: its root value's own fields, and the fields of other subgraphs.
   * The variables must have been checked.
   */
  async executeEvent(
    prepared: PreparedOperation,
    { rootValue, variables = {}, context }: SubscriptionEvent<Context>,
  ): Promise<ExecutionResult> {
    const { primary, rest } = subscriptionNode(prepared);
    return catchGraphQLErrors(async () => {
      const execution = this.#startExecution(prepared, variables, context);
      await this.#primaries.execute(primary, rootValue, execution);
      if (rest) await executePlan(rest, execution);
      return toResult(prepared, execution);
    });
  }

  #startExecution(
    { conditions, clientVariables, unplanned }: PreparedOperation,
    clientValues: Record<string, unknown>,
    context: Context,
  ): Execution<Context> {
    const variables = toPlannedVariables(clientValues, clientVariables);
    const root: Tree = {};
    const failures = new Failures();
    if (unplanned.size > 0) failures.add([root], unplanned, notPlanned());
    return {
      subgraphs: this.#subgraphs,
      types: this.#types,
      keys: this.#keys,
      variables,
      conditions: conditionValues(conditions, variables),
      context,
      root,
      errors: [],
      ofPartial: new WeakSet(),
      failures,
      unresolved: new Failures(),
    };
  }
}

/** Whether the plan fetches anything. */
function isFetched({ plan, furtherPlans }: PreparedOperation): boolean {
  return [plan, ...furtherPlans].some(({ node }) => node);
}

function toPlannedVariables(
  variables: Record<string, unknown>,
  clientVariables: ReadonlyMap<string, string>,
): Record<string, unknown> {
  if (clientVariables.size === 0) return variables;
  const planned = { ...variables };
  for (const [name, clientName] of clientVariables) {
    if (Object.hasOwn(variables, clientName)) planned[name] = variables[clientName];
  }
  return planned;
}

function subscriptionNode({ plan: { node } }: PreparedOperation) {
  if (node?.kind !== 'Subscription') throw new Error('only subscriptions have events');
  return node;
}

/** A thrown GraphQLError becomes a result without data. */
async function catchGraphQLErrors(run: () => Promise<ExecutionResult>): Promise<ExecutionResult> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    throw error;
  }
}

function toResult<Context>(
  { projection, introspection, clientNames }: PreparedOperation,
  { root, errors, ofPartial, types, conditions, variables, failures }: Execution<Context>,
): ExecutionResult {
  const projected = projection.project(root, {
    conditions,
    introspect: (field) => introspection.execute(field, variables),
    failures,
    types,
    reported: errors,
  });
  const { data } = projected;
  const all = [...errors, ...projected.errors].flatMap((error) => {
    const named = withClientNames(error, clientNames);
    return ofPartial.has(error) && !isSelected(data, named.path ?? []) ? [] : [named];
  });
  return all.length > 0 ? { errors: all, data } : { data };
}

/** Whether the data has the field, or a null above it. */
function isSelected(data: unknown, path: readonly (string | number)[]): boolean {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return true;
    if (!Object.hasOwn(value, step)) return false;
    value = (value as Record<string | number, unknown>)[step];
  }
  return true;
}

/** The error, with the client's names in its path. */
function withClientNames(
  error: GraphQLError,
  clientNames: ReadonlyMap<string, string>,
): GraphQLError {
  if (clientNames.size === 0 || !error.path) return error;
  return withPath(
    error,
    error.path.map((step) => clientNames.get(step as string) ?? step),
  );
}
