import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Supergraph } from '@apollo/federation-internals';
import type { GraphQLSchema } from 'graphql';
import { errorFormatter, unauthenticated } from '#platform/graphql/errors.ts';
import { DateTime } from '#platform/graphql/scalars.ts';
import { silent } from '../../tests/support/database.ts';
import { createAdmission } from '../src/admission/admission.ts';
import { readCostRules } from '../src/admission/cost-rules.ts';
import { createDocuments } from '../src/admission/documents.ts';
import { automaticOperations } from '../src/admission/persisted-operations.ts';
import { routerConfig } from '../src/config.ts';
import { Executor } from '../src/executor/executor.ts';
import { gatewayExecutor } from '../src/executor/gateway-executor.ts';
import { withScalarRules } from '../src/executor/scalar-rules.ts';
import type { SubgraphRequest, SubgraphResponse } from '../src/executor/subgraph.ts';
import type { RouterContext } from '../src/executor/subgraph-client.ts';
import { createPublicServer } from '../src/http/public-server.ts';
import { openLive } from '../src/live/open-live.ts';
import { routerMetrics } from '../src/observability/metrics.ts';

export const SUPERGRAPH = readFileSync('router/supergraph.graphql', 'utf8');

export interface TestResponse {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read parts of responses, and fail where they differ
  json: any;
}

const PROVIDER = {
  AUTH_JWKS_URL: 'https://id.example/jwks',
  AUTH_ISSUER: 'https://id.example',
  AUTH_AUDIENCE: 'https://api.example',
};

/** The response of the subgraphs, unless a test sets another one. */
const EMPTY: SubgraphResponse = { data: { space: null, spaces: { edges: [] } } };

/**
 * The public server as it runs in production, with settings by the names of the environment. The subgraphs
 * are in memory, and a bearer token is the user's id.
 */
export async function openPublicServer(env: Record<string, string> = {}) {
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
  const requests: SubgraphRequest[] = [];
  const subgraph = {
    respond: async (_request: SubgraphRequest): Promise<SubgraphResponse> => EMPTY,
    send(request: SubgraphRequest) {
      requests.push(request);
      return subgraph.respond(request);
    },
  };
  const executor = new Executor<RouterContext>({
    supergraphSdl: SUPERGRAPH,
    subgraphs: { book: subgraph, payment: subgraph, space: subgraph, mypage: subgraph },
    scalars: [DateTime],
  });
  const metrics = routerMetrics();
  const authorize = async () => 'Bearer test';
  const server = await createPublicServer({
    settings: config,
    isForDevelopers: config.SPACERENT_PROFILE === 'embedded',
    gateway: {
      load: async () => ({ executor: gatewayExecutor(executor) as never }),
      onSchemaLoadOrUpdate(listener) {
        listener({ apiSchema: executor.schema, coreSupergraphSdl: SUPERGRAPH });
        return () => {};
      },
      stop: async () => {},
    },
    executor,
    supergraphSdl: SUPERGRAPH,
    openLive: (shared) => openLive({ ...shared, settings: config, authorize }),
    identify: async (authorization) => {
      if (authorization === undefined) return null;
      const user = /^Bearer (\w+)$/.exec(authorization)?.[1];
      if (!user) {
        const error = unauthenticated('The token is not valid.');
        error.extensions.http = { status: 401 };
        throw error;
      }
      return { principal: { userId: user, roles: ['customer'] }, expiresAt: null };
    },
    formatError: errorFormatter(silent),
    metrics,
    draining: new AbortController().signal,
    logger: silent,
  });
  const { app } = server;
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;

  /** Sends a request to any path, with exactly these headers. */
  function send(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<TestResponse> {
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
            resolve({ status: statusCode, headers, text, json: parseJson(text) });
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  return {
    port,
    requests,
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
      await Promise.all([server.endSubscriptions(), server.endRequests()]);
      await server.close();
    },
  };
}

export type RunningServer = Awaited<ReturnType<typeof openPublicServer>>;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Admission with the router's default limits, and without rates. */
export function openAdmission({ introspection = true } = {}) {
  const documents = createDocuments({
    schema: routerSchema(),
    introspection,
    limits: {
      depth: 15,
      aliases: 30,
      directives: 30,
      rootFields: 10,
      selections: 1_000,
      tokens: 2_000,
    },
    rules: readCostRules(SUPERGRAPH),
  });
  const rates = { countMutations: async () => {}, spendQueryCost: () => {} };
  const persisted = automaticOperations();
  return { documents, ...createAdmission({ documents, maxCost: 10_000, persisted, rates }) };
}

/** The schema that clients see. */
export function routerSchema(): GraphQLSchema {
  return withScalarRules(Supergraph.build(SUPERGRAPH).apiSchema().toGraphQLJSSchema(), [DateTime]);
}
