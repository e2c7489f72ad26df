import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  type DocumentNode,
  defaultFieldResolver,
  execute,
  GraphQLError,
  type GraphQLSchema,
  isObjectType,
  parse,
} from 'graphql';
import type { SubgraphRequest, SubgraphResponse } from '../../src/executor/subgraph.ts';

export interface FixtureSubgraph {
  name: string;
  typeDefs: string;
  // biome-ignore lint/suspicious/noExplicitAny: resolvers take what their fields give
  resolvers: Record<string, any>;
}

/** What goes wrong: subgraphs that do, and fields, named `Type.field` or `Type(id).field`, that do. */
export interface Faults {
  /** 'rejects' answers not at all, 'empty' without data, 'refuses' with an error alone. */
  subgraphs?: Record<string, 'rejects' | 'empty' | 'refuses'>;
  /** Throw this field's error, or answer null, also where that is not allowed. */
  fields?: Record<string, 'throws' | 'null'>;
}

export interface AskedRequest extends SubgraphRequest {
  subgraph: string;
}

/** A fixture, executed in this process; what it is asked is kept in `asked`. */
export class RunningSubgraph {
  readonly name: string;
  readonly schema: GraphQLSchema;
  readonly #documents = new Map<string, DocumentNode>();
  readonly #asked: AskedRequest[];
  #faults: Faults = {};

  constructor({ name, typeDefs, resolvers }: FixtureSubgraph, asked: AskedRequest[]) {
    this.name = name;
    this.#asked = asked;
    this.schema = buildSubgraphSchema({ typeDefs: parse(typeDefs), resolvers });
    this.#makeFieldsFail();
  }

  suffer(faults: Faults): void {
    this.#faults = faults;
  }

  async ask({ query, variables }: SubgraphRequest): Promise<SubgraphResponse> {
    this.#asked.push({ subgraph: this.name, query, variables });
    const fault = this.#faults.subgraphs?.[this.name];
    if (fault === 'rejects') {
      throw new GraphQLError(`${this.name} does not answer`, { extensions: { code: 'AWAY' } });
    }
    if (fault === 'empty') return {};
    if (fault === 'refuses') return { errors: [{ message: `${this.name} refuses` }] };
    const document = this.#documents.get(query) ?? parse(query);
    this.#documents.set(query, document);
    const answer = await execute({ schema: this.schema, document, variableValues: variables });
    // As it comes over the wire.
    return JSON.parse(JSON.stringify(answer));
  }

  /** What the stock executor calls. */
  process({ request }: { request: { query?: string; variables?: Record<string, unknown> } }) {
    return this.ask({ query: request.query ?? '', variables: request.variables ?? {} });
  }

  #makeFieldsFail(): void {
    for (const type of Object.values(this.schema.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('_')) continue;
      for (const field of Object.values(type.getFields())) {
        const resolve = field.resolve ?? defaultFieldResolver;
        field.resolve = (source, args, context, info) => {
          const id = source?.id ?? source?.sku ?? source?.code ?? '';
          const faults = this.#faults.fields ?? {};
          const name = `${type.name}.${field.name}`;
          const fault = faults[name] ?? faults[`${type.name}(${id}).${field.name}`];
          if (fault === 'null') return null;
          if (fault !== 'throws') return resolve(source, args, context, info);
          throw new GraphQLError(`${name} of "${id}" fails`, { extensions: { code: 'FAULT', id } });
        };
      }
    }
  }
}
