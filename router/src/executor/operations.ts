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
  visit,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { startChildSpan } from '#platform/tracing/tracing.ts';
import { addTypenames } from './added-typenames.ts';
import { conditionVariables } from './conditions.ts';
import { splitConflicts } from './conflicting-requires.ts';
import { responseNameOf } from './documents.ts';
import { fetchedRootNames } from './fetched-names.ts';
import { Introspection } from './introspection.ts';
import { type PlannerNames, toPlannedDocument } from './planned-document.ts';
import { Projection } from './projection.ts';
import type { Requirements } from './requirements.ts';
import type { CheckPlan } from './unmet-requirements.ts';

/** Everything that is computed before an operation is executed. */
export interface PreparedOperation {
  /** The client's. */
  operation: OperationDefinitionNode;
  plan: QueryPlan;
  /** The plans of fields that must not stand in the plan of the others. */
  furtherPlans: readonly QueryPlan[];
  /** Names of values that may differ between these plans: the client has not selected them. */
  ignored: ReadonlySet<string>;
  projection: Projection;
  introspection: Introspection;
  /** The variables of `@include` and `@skip`, with their defaults. */
  conditions: ReadonlyMap<string, unknown>;
  /** The client's response names that differ in the plan, by those of the plan. */
  clientNames: ReadonlyMap<string, string>;
  /** Fields at the root that no fetch of the plan brings, by their names in the plan. */
  unplanned: ReadonlySet<string>;
  /** The client's variables that differ in the plan, by those of the plan. */
  clientVariables: ReadonlyMap<string, string>;
}

/** An operation that cannot be executed. */
export interface Unprepared {
  errors: readonly GraphQLError[];
}

/** Prepares operations of one schema, with a cache of `cacheSize`. */
export class Operations {
  readonly #schema: GraphQLSchema;
  readonly #api: Schema;
  readonly #planner: QueryPlanner;
  readonly #plannerNames: PlannerNames;
  readonly #requirements: Requirements;
  readonly #checkPlan: CheckPlan;
  readonly #prepared: LRUCache<string, PreparedOperation>;

  constructor(options: {
    schema: GraphQLSchema;
    api: Schema;
    planner: QueryPlanner;
    plannerNames: PlannerNames;
    requirements: Requirements;
    checkPlan: CheckPlan;
    cacheSize: number;
  }) {
    this.#schema = options.schema;
    this.#api = options.api;
    this.#planner = options.planner;
    this.#plannerNames = options.plannerNames;
    this.#requirements = options.requirements;
    this.#checkPlan = options.checkPlan;
    this.#prepared = new LRUCache({ max: options.cacheSize });
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
    textHash = toHash(document),
  ): PreparedOperation | Unprepared {
    const key = `${textHash} ${operationName ?? ''}`;
    const cached = this.#prepared.get(key);
    if (cached) return cached;
    const span = startChildSpan('plan');
    try {
      const prepared = this.#prepare(document, operationName ?? undefined);
      this.#prepared.set(key, prepared);
      return prepared;
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [error] };
      throw error;
    } finally {
      span?.end();
    }
  }

  #prepare(document: DocumentNode, operationName: string | undefined): PreparedOperation {
    const planned = toPlannedDocument(document, this.#plannerNames);
    const { clientNames, clientVariables } = planned;
    const node = findOperation(planned.document, operationName);
    const operation = operationFromDocument(this.#api, planned.document, { operationName });
    const toPlan = (part: DocumentNode): QueryPlan => {
      const plan = this.#planner.buildQueryPlan(
        part === planned.document
          ? operation
          : operationFromDocument(this.#api, part, { operationName }),
      );
      this.#checkPlan(plan);
      return plan;
    };
    const complete = addTypenames(planned.document, this.#schema);
    const parts = splitConflicts(
      complete,
      findOperation(complete, operationName),
      this.#schema,
      this.#requirements,
    );
    const [plan, ...furtherPlans] = parts.map(toPlan) as [QueryPlan, ...QueryPlan[]];
    const projection = new Projection(this.#api, planned.document, node, clientNames);
    const fetched = new Set([plan, ...furtherPlans].flatMap(({ node }) => fetchedRootNames(node)));
    return {
      operation: findOperation(document, operationName),
      plan,
      furtherPlans,
      ignored: furtherPlans.length > 0 ? this.#ignoredNames(planned.document) : NO_NAMES,
      projection,
      unplanned: new Set(projection.rootNames().filter((name) => !fetched.has(name))),
      introspection: new Introspection(this.#schema, planned.document, node),
      conditions: conditionVariables(planned.document, node),
      clientNames,
      clientVariables,
    };
  }

  /** Inputs of `@requires`, but for those that the client selects: its own fields have other names. */
  #ignoredNames(document: DocumentNode): ReadonlySet<string> {
    const { inputs, withArguments } = this.#plannerNames;
    const ignored = new Set([...inputs, ...withArguments]);
    visit(document, { Field: (field) => void ignored.delete(responseNameOf(field)) });
    return ignored;
  }
}

const NO_NAMES: ReadonlySet<string> = new Set();

function findOperation(document: DocumentNode, name: string | undefined): OperationDefinitionNode {
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

function toHash(document: DocumentNode): string {
  const text = document.loc?.source.body ?? print(document);
  return createHash('sha256').update(text).digest('hex');
}
