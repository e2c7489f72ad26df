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
import { LRUCache } from 'lru-cache';
import type { SubgraphRequest, SubgraphResponse } from '../../src/executor/subgraph.ts';

export interface FixtureSubgraph {
  name: string;
  typeDefs: string;
  // biome-ignore lint/suspicious/noExplicitAny: resolvers receive the values of other resolvers
  resolvers: Record<string, any>;
}

/** Faults of subgraphs, and of fields that are named `Type.field` or `Type(id).field`. */
export interface Faults {
  /** 'rejects': no response; 'empty': a response without data; 'refuses': only an error. */
  subgraphs?: Record<string, 'rejects' | 'empty' | 'refuses'>;
  /** The field throws, or returns null, even where its type does not allow that. */
  fields?: Record<string, 'throws' | 'null'>;
}

export interface RecordedRequest extends SubgraphRequest {
  subgraph: string;
}

/** A fixture that is executed in this process; it records its requests. */
export class RunningSubgraph {
  readonly name: string;
  readonly schema: GraphQLSchema;
  /** Limited, because random operations may run for hours. */
  readonly #documents = new LRUCache<string, DocumentNode>({ max: 1_000 });
  readonly #requests: RecordedRequest[];
  #faults: Faults = {};

  constructor({ name, typeDefs, resolvers }: FixtureSubgraph, requests: RecordedRequest[]) {
    this.name = name;
    this.#requests = requests;
    this.schema = buildSubgraphSchema({ typeDefs: parse(typeDefs), resolvers });
    this.#makeFieldsFail();
  }

  injectFaults(faults: Faults): void {
    this.#faults = faults;
  }

  async send({ query, variables }: SubgraphRequest): Promise<SubgraphResponse> {
    this.#requests.push({ subgraph: this.name, query, variables });
    const fault = this.#faults.subgraphs?.[this.name];
    if (fault === 'rejects') {
      throw new GraphQLError(`${this.name} does not respond`, { extensions: { code: 'AWAY' } });
    }
    if (fault === 'empty') return {};
    if (fault === 'refuses') return { errors: [{ message: `${this.name} refuses` }] };
    const document = this.#documents.get(query) ?? parse(query);
    this.#documents.set(query, document);
    const result = await execute({ schema: this.schema, document, variableValues: variables });
    // As over HTTP.
    return JSON.parse(JSON.stringify(result));
  }

  /** Called by the stock executor. */
  process({ request }: { request: { query?: string; variables?: Record<string, unknown> } }) {
    return this.send({ query: request.query ?? '', variables: request.variables ?? {} });
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
