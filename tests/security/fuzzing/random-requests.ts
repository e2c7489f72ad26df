import fc from 'fast-check';
import type { GraphQLSchema } from 'graphql';
import { garbled, randomOperation } from './random-operations.ts';
import { anything, evenly, isOneIn, type KnownIds, pick, UNUSUAL_TEXTS } from './random-values.ts';

/** One HTTP request, or the frames of one WebSocket, to the router. */
export type RandomRequest =
  | { over: 'http'; method: string; path: string; headers: [string, string][]; body: string | null }
  | {
      over: 'websocket';
      protocol: string;
      headers: [string, string][];
      frames: (string | Buffer)[];
    };

const PATHS = [
  '/',
  '/graphql/',
  '/graphql/../health/ready',
  '/dev/token',
  '/health/ready',
  '/%',
  '//',
];
const TYPES = [
  ...['application/json', 'application/json; charset=utf-8', 'application/json;charset=utf-7'],
  ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''],
  ...[
    'application/graphql',
    'APPLICATION/JSON',
    'application/jsonp',
    'application/json, text/plain',
  ],
];
const STREAM_ACCEPTS = [
  'text/event-stream',
  'multipart/mixed;subscriptionSpec=1.0,application/json',
];
const ACCEPTS = [
  ...STREAM_ACCEPTS,
  ...['application/json', 'application/graphql-response+json', '*/*', 'text/html', 'image/png', ''],
  ...['multipart/mixed;deferSpec=20220824', 'application/json;q=2', ';;;,,,'],
];
const HEADERS = [
  ...[
    'x-correlation-id',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-apollo-operation-name',
    'origin',
  ],
  ...[
    'apollo-require-preflight',
    'cookie',
    'traceparent',
    'content-encoding',
    'x-http-method-override',
  ],
  ...[
    'access-control-request-method',
    'range',
    'if-none-match',
    'accept-language',
    'expect',
    'upgrade',
  ],
];
const SOCKET_TYPES = [
  ...['connection_init', 'subscribe', 'subscribe', 'complete', 'ping', 'pong', 'next', 'error'],
  ...['connection_ack', 'start', '__proto__', ''],
];

/** Random requests with the given tokens: some as clients send them, others malformed. */
export function randomRequest(
  schema: GraphQLSchema,
  known: KnownIds,
  tokens: readonly string[],
): fc.Arbitrary<RandomRequest> {
  return fc.gen().map((gen) => {
    const chance = (one: number) => isOneIn(gen, one);
    // A well-formed request with a random operation.
    if (chance(2)) return politeRequest();
    return chance(4) ? socketRequest() : httpRequest();

    function politeRequest(): RandomRequest {
      const headers: [string, string][] = [
        ['authorization', `Bearer ${pick(gen, tokens)}`],
        ['content-type', 'application/json'],
      ];
      const body = JSON.stringify(randomOperation(gen, schema, known));
      return { over: 'http', method: 'POST', path: '/graphql', headers, body };
    }

    function request(): Record<string, unknown> {
      const { query, variables } = randomOperation(gen, schema, known);
      const body: Record<string, unknown> = {
        query: chance(7) ? garbled(gen, query) : query,
        variables,
      };
      if (chance(15)) body.operationName = pick(gen, UNUSUAL_TEXTS);
      if (chance(25)) body.extensions = extensions();
      if (chance(25)) body[pick(gen, ['query', 'variables', 'operationName', 'x'])] = anything(gen);
      return body;
    }

    function extensions(): unknown {
      if (chance(3)) return anything(gen);
      return { persistedQuery: { version: 1, sha256Hash: pick(gen, UNUSUAL_TEXTS) } };
    }

    function bodyText(): string {
      const text = JSON.stringify(chance(15) ? anything(gen) : request()) ?? '';
      if (chance(30)) return garbled(gen, text);
      if (chance(40)) return text.replace('{', '{"query":"{ __typename }","query":7,');
      return chance(40) ? `[${text},${text}]` : text;
    }

    function httpRequest(): RandomRequest {
      const isGet = chance(6);
      const method = chance(40)
        ? pick(gen, ['PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'])
        : isGet
          ? 'GET'
          : 'POST';
      const path = chance(40) ? pick(gen, PATHS) : '/graphql';
      const headers = someHeaders();
      if (isGet) {
        if (!chance(5)) headers.push(['apollo-require-preflight', 'true']);
        return { over: 'http', method, path: `${path}?${search()}`, headers, body: null };
      }
      headers.push(['content-type', chance(12) ? pick(gen, TYPES) : 'application/json']);
      return { over: 'http', method, path, headers, body: bodyText() };
    }

    function search(): string {
      const parameters = Object.entries(request()).map(([name, value]) => {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        return `${name}=${encodeURIComponent(String(text).replaceAll(/\p{Cs}/gu, '')).slice(0, 6_000)}`;
      });
      if (chance(15))
        parameters.push(pick(gen, ['query=%ED%A0%80', 'variables=%', '&&=', 'query=7']));
      return parameters.join('&');
    }

    function someHeaders(): [string, string][] {
      const headers: [string, string][] = [];
      if (!chance(6)) headers.push(['authorization', authorization()]);
      if (chance(3)) headers.push(['accept', pick(gen, ACCEPTS)]);
      if (chance(4)) headers.push([pick(gen, HEADERS), headerText()]);
      return headers;
    }

    function authorization(): string {
      const token = pick(gen, tokens);
      return chance(12)
        ? `${pick(gen, ['Bearer ', 'bearer', 'Basic ', ''])}${garbled(gen, token)}`
        : `Bearer ${token}`;
    }

    function headerText(): string {
      return chance(2)
        ? pick(gen, UNUSUAL_TEXTS)
        : gen(fc.string, { unit: 'binary', maxLength: 80 });
    }

    function socketRequest(): RandomRequest {
      const frames = Array.from({ length: 1 + gen(evenly, 5) }, () => frame());
      if (!chance(4)) {
        const payload = { authorization: authorization() };
        frames.unshift(JSON.stringify({ type: 'connection_init', payload }));
      }
      const protocol = chance(20) ? 'graphql-ws' : 'graphql-transport-ws';
      return { over: 'websocket', protocol, headers: chance(8) ? someHeaders() : [], frames };
    }

    function frame(): string | Buffer {
      if (chance(30)) return Buffer.from(gen(fc.uint8Array, { maxLength: 60 }));
      if (chance(40)) return 'x'.repeat(200_000);
      if (chance(20)) return JSON.stringify(anything(gen)) ?? 'undefined';
      const type = chance(4) ? pick(gen, SOCKET_TYPES) : 'subscribe';
      const id = chance(8) ? anything(gen) : `op${gen(evenly, 3)}`;
      const payload = chance(12) ? anything(gen) : request();
      const text = JSON.stringify({ id, type, payload });
      return chance(15) ? garbled(gen, text) : text;
    }
  });
}
