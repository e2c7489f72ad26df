import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Supergraph } from '@apollo/federation-internals';
import type { GraphQLSchema } from 'graphql';
import { unauthenticated } from '#platform/graphql/errors.ts';
import { DateTime } from '#platform/graphql/scalars.ts';
import { silent } from '../../tests/support/database.ts';
import { admissionGate } from '../src/admission/admission.ts';
import { costRules } from '../src/admission/cost-rules.ts';
import { documentExaminer } from '../src/admission/documents.ts';
import { automaticOperations } from '../src/admission/persisted-operations.ts';
import { routerConfig } from '../src/config.ts';
import { Executor } from '../src/executor/executor.ts';
import { standIn } from '../src/executor/gateway-executor.ts';
import { withScalarRules } from '../src/executor/scalar-rules.ts';
import type { SubgraphRequest, SubgraphResponse } from '../src/executor/subgraph.ts';
import type { RouterContext } from '../src/executor/subgraph-client.ts';
import { createEdge } from '../src/http/public-server.ts';
import { routerMetrics } from '../src/observability/metrics.ts';

export const SUPERGRAPH = readFileSync('router/supergraph.graphql', 'utf8');

export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers and fail where they differ
  json: any;
}

const PROVIDER = {
  AUTH_JWKS_URL: 'https://id.example/jwks',
  AUTH_ISSUER: 'https://id.example',
  AUTH_AUDIENCE: 'https://api.example',
};

/** What the subgraphs answer to anything, unless a test says otherwise. */
const EMPTY: SubgraphResponse = { data: { space: null, spaces: { edges: [] } } };

/**
 * The router's edge as it runs, with its settings in the environment's words; the subgraphs are in memory,
 * and a bearer token is the user's name.
 */
export async function openEdge(env: Record<string, string> = {}) {
  const config = routerConfig({
    ...(env.SPACERENT_PROFILE === 'embedded' ? { AUTH_SECRET: 'x'.repeat(32) } : PROVIDER),
    INTERNAL_TOKEN_KEYS: randomBytes(32).toString('base64url'),
    BOOK_URL: 'http://127.0.0.1:1',
    PAYMENT_URL: 'http://127.0.0.1:1',
    SPACE_URL: 'http://127.0.0.1:1',
    MYPAGE_URL: 'http://127.0.0.1:1',
    QUEUE_DATABASE_URL: process.env.TEST_POSTGRES_URL,
    ...env,
  });
  const asked: SubgraphRequest[] = [];
  const subgraph = {
    answer: async (_request: SubgraphRequest): Promise<SubgraphResponse> => EMPTY,
    ask(request: SubgraphRequest) {
      asked.push(request);
      return subgraph.answer(request);
    },
  };
  const executor = new Executor<RouterContext>({
    supergraphSdl: SUPERGRAPH,
    subgraphs: { book: subgraph, payment: subgraph, space: subgraph, mypage: subgraph },
    scalars: [DateTime],
  });
  const edge = await createEdge({
    config,
    gateway: {
      load: async () => ({ executor: standIn(executor) as never }),
      onSchemaLoadOrUpdate(tell) {
        tell({ apiSchema: executor.schema, coreSupergraphSdl: SUPERGRAPH });
        return () => {};
      },
      stop: async () => {},
    },
    executor,
    supergraphSdl: SUPERGRAPH,
    authorize: async () => 'Bearer test',
    identify: async (authorization) => {
      if (authorization === undefined) return null;
      const user = /^Bearer (\w+)$/.exec(authorization)?.[1];
      if (!user) {
        const error = unauthenticated('The token is not valid.');
        error.extensions.http = { status: 401 };
        throw error;
      }
      return { viewer: { userId: user, roles: ['customer'] }, expiresAt: null };
    },
    metrics: routerMetrics(),
    draining: new AbortController().signal,
    logger: silent,
  });
  const { app } = edge;
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;

  /** A request to any path, with nothing added to it. */
  function send(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        { host: '127.0.0.1', port, method, path, headers, agent: false },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => {
            const { statusCode = 0, headers } = response;
            resolve({ status: statusCode, headers, text, json: parsed(text) });
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  return {
    port,
    asked,
    subgraph,
    send,
    /** A GraphQL request by POST. */
    post: (body: unknown, headers: Record<string, string> = {}) =>
      send(
        'POST',
        '/graphql',
        { 'content-type': 'application/json', ...headers },
        JSON.stringify(body),
      ),
    /** A GraphQL request by GET. */
    get: (params: Record<string, string>, headers: Record<string, string> = {}) =>
      send('GET', `/graphql?${new URLSearchParams(params)}`, {
        'apollo-require-preflight': 'true',
        ...headers,
      }),
    async close() {
      await Promise.all([edge.endSubscriptions(), edge.endRequests()]);
      await edge.close();
    },
  };
}

export type RunningEdge = Awaited<ReturnType<typeof openEdge>>;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A gate with the limits that the router has unless told otherwise. */
export function openGate({ introspection = true } = {}) {
  const documents = documentExaminer({
    schema: schemaOfRouter(),
    introspection,
    limits: {
      depth: 15,
      aliases: 30,
      directives: 30,
      rootFields: 10,
      selections: 1_000,
      tokens: 2_000,
    },
    rules: costRules(SUPERGRAPH),
  });
  const rates = { mutate: async () => {}, read: () => {} };
  const persisted = automaticOperations();
  return { documents, ...admissionGate({ documents, costLimit: 10_000, persisted, rates }) };
}

/** What clients see of the schema. */
export function schemaOfRouter(): GraphQLSchema {
  return withScalarRules(Supergraph.build(SUPERGRAPH).apiSchema().toGraphQLJSSchema(), [DateTime]);
}
