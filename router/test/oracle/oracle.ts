import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  parse,
  print,
  validate,
} from 'graphql';
import { type Federation, federate } from '../federation/executors.ts';
import { buildPlainSchema } from './plain-schema.ts';
import { reduceDocument } from './reduce.ts';
import { catalog } from './subgraphs/catalog.ts';
import { people } from './subgraphs/people.ts';
import { reviewing } from './subgraphs/reviewing.ts';
import { stock } from './subgraphs/stock.ts';
import { createWorld, type World } from './world.ts';

export interface Request {
  query: string;
  variables: Record<string, unknown>;
}

/** What comparing one operation brought; 'refused' are operations that the router refuses, because it cannot plan them. */
export type Outcome = 'same' | 'refused' | Difference;

/** The numbers of operations, and the report of the first difference. */
export interface Comparison {
  same: number;
  refused: number;
  difference?: string;
}

/** Two results of one operation, as JSON. */
export interface Difference {
  expected: string;
  found: string;
}

/** Compares the router's executor with a plain schema over the same data. */
export class Oracle {
  readonly schema: GraphQLSchema;
  readonly #federation: Federation;
  readonly #worlds: readonly World[];

  private constructor(federation: Federation, plain: GraphQLSchema, worlds: readonly World[]) {
    this.schema = plain;
    this.#federation = federation;
    this.#worlds = worlds;
  }

  static async start(): Promise<Oracle> {
    const [split, whole] = [createWorld(), createWorld()];
    const subgraphs = [catalog(split), people(split), stock(split), reviewing(split)];
    const federation = await federate(subgraphs);
    const plain = buildPlainSchema(federation.supergraphSdl, whole);
    return new Oracle(federation, plain, [split, whole]);
  }

  stop(): Promise<void> {
    return this.#federation.stop();
  }

  /** Why the schema does not allow the operation. */
  findProblems(query: string): string[] {
    return validate(this.schema, parse(query)).map(({ message }) => message);
  }

  /** Whether the operation is valid. */
  isComparable({ query }: Request): boolean {
    return this.findProblems(query).length === 0;
  }

  /** Undoes all mutations. */
  resetData(): void {
    for (const world of this.#worlds) Object.assign(world, createWorld());
  }

  /** Executes the operation with both; mutations change the data of both. */
  async compare({ query, variables }: Request): Promise<Outcome> {
    return this.#compareDocument(parse(query), variables);
  }

  async #compareDocument(
    document: DocumentNode,
    variables: Record<string, unknown>,
  ): Promise<Outcome> {
    const own = await this.#executeFederated(document, variables);
    if (isRefusal(own)) return 'refused';
    const expected = toJson(await this.#executePlainly(document, variables));
    const found = toJson(own);
    return expected === found ? 'same' : { expected, found };
  }

  /** Compares operations one after another, in new data that each finds as the ones before have left it. */
  async compareAll(requests: readonly Request[]): Promise<Comparison> {
    this.resetData();
    const comparison: Comparison = { same: 0, refused: 0 };
    for (const [index, request] of requests.entries()) {
      const outcome = await this.compare(request);
      if (typeof outcome === 'object') {
        const difference = await this.#describe(request, outcome, requests.slice(0, index));
        return { ...comparison, difference };
      }
      comparison[outcome] += 1;
    }
    return comparison;
  }

  /**
   * A report of the difference, with the smallest operation that has one. The operations before it are executed
   * again each time, in new data.
   */
  async #describe(
    request: Request,
    { expected, found }: Difference,
    before: readonly Request[],
  ): Promise<string> {
    const compareAgain = async (document: DocumentNode) => {
      this.resetData();
      for (const each of before) await this.compare(each);
      return this.#compareDocument(document, request.variables);
    };
    const reduced = await reduceDocument(parse(request.query), async (document) => {
      if (validate(this.schema, document).length > 0) return false;
      return typeof (await compareAgain(document)) === 'object';
    });
    const own = await compareAgain(reduced);
    this.resetData();
    for (const each of before) await this.compare(each);
    const stock = await this.#federation.execute('stock', print(reduced), request.variables);
    const { data, errors } = stock;
    const of = (outcome: Outcome) => (typeof outcome === 'object' ? outcome : undefined);
    return [
      `The router and the plain schema differ on this operation:\n${request.query}`,
      `variables: ${JSON.stringify(request.variables)}`,
      ...before.map((each) => `after: ${each.query} ${JSON.stringify(each.variables)}`),
      `expected: ${expected}`,
      `found:    ${found}`,
      `\nIts smallest part that differs:\n${print(reduced)}`,
      `expected: ${of(own)?.expected}`,
      `found:    ${of(own)?.found}`,
      `Apollo's executor: ${toJson({ data, errors } as ExecutionResult)}`,
    ].join('\n');
  }

  async #executePlainly(document: DocumentNode, variables: Record<string, unknown>) {
    return execute({ schema: this.schema, document, variableValues: variables });
  }

  async #executeFederated(document: DocumentNode, variables: Record<string, unknown>) {
    const { executor } = this.#federation;
    const prepared = executor.prepare(document);
    if ('errors' in prepared) return prepared;
    return executor.execute(prepared, { variables, context: {} });
  }
}

/** What the router cannot plan it refuses, instead of answering it wrongly. */
function isRefusal({ errors }: ExecutionResult): boolean {
  return (
    errors?.length === 1 && toText(errors).startsWith('The router cannot plan this operation: ')
  );
}

function toText(errors: readonly { message: string }[]): string {
  return errors.map(({ message }) => message).join('\n');
}

/** The order of keys counts. Without faults, there are no errors. */
function toJson({ data, errors }: ExecutionResult): string {
  return JSON.stringify({ data, errors: errors?.map(({ message, path }) => ({ message, path })) });
}
