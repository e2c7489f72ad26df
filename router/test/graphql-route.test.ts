import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openPublicServer, type RunningServer } from './public-server-fixture.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await openPublicServer({ SPACERENT_PROFILE: 'embedded' });
});
afterAll(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
});

const QUERY = '{ spaces { edges { cursor } } }';
const SUBSCRIPTION = 'subscription { myBookingStatuses { version } }';
const SSE = { accept: 'text/event-stream' };
const MULTIPART = { accept: 'multipart/mixed;subscriptionSpec=1.0, application/json' };

describe('a request by POST', () => {
  test.each(['application/json', 'application/graphql-response+json'])(
    'a POST request that accepts %s gets a response of that type',
    async (accept) => {
      const right = await server.post({ query: QUERY }, { accept });
      expect(right).toMatchObject({ status: 200, json: { data: { spaces: { edges: [] } } } });
      const wrong = await server.post({ query: '{ nothing }' }, { accept });
      expect(wrong).toMatchObject({
        status: 400,
        json: { errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] },
      });
      for (const response of [right, wrong]) {
        expect(response.headers['content-type']).toBe(`${accept}; charset=utf-8`);
        expect(response.headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
      }
    },
  );

  test.each([
    [[{ query: QUERY }], 'BAD_USER_INPUT', /Several operations in one request/],
    ['text', 'BAD_USER_INPUT', /^Send \{/],
    [null, 'BAD_USER_INPUT', /^Send \{/],
    [{}, 'BAD_USER_INPUT', /^Send \{/],
    [{ query: 1 }, 'BAD_USER_INPUT', /^Send \{/],
    [{ query: QUERY, variables: [] }, 'BAD_USER_INPUT', /^Send \{/],
    [{ query: QUERY, operationName: 1 }, 'BAD_USER_INPUT', /^Send \{/],
    [{ query: QUERY, extensions: 'x' }, 'BAD_USER_INPUT', /^Name a persisted operation/],
    [{ query: '' }, 'GRAPHQL_PARSE_FAILED', /Unexpected <EOF>/],
    [{ query: '{' }, 'GRAPHQL_PARSE_FAILED', /Syntax Error/],
    [{ query: QUERY, operationName: 'B' }, 'OPERATION_RESOLUTION_FAILURE', /no operation "B"/],
    [{ query: SUBSCRIPTION }, 'BAD_REQUEST', /is a stream/],
    [
      { query: 'subscription { myBookingStatuses @skip(if: true) { version } }' },
      'GRAPHQL_VALIDATION_FAILED',
      /cannot have @skip/,
    ],
  ])(
    'a POST request with the body %j is refused in every protocol',
    async (body, code, message) => {
      for (const headers of [{}, SSE, MULTIPART]) {
        // A subscription is refused only without a stream.
        if (code === 'BAD_REQUEST' && 'accept' in headers) continue;
        const { status, json } = await server.post(body, headers);
        expect(status).toBe(400);
        expect(json.errors[0]).toMatchObject({
          message: expect.stringMatching(message),
          extensions: { code },
        });
      }
      expect(server.requests).toEqual([]);
    },
  );

  test('a POST request above a limit is refused in every protocol', async () => {
    const query = `{ ${Array.from({ length: 11 }, (_, n) => `a${n}: spaces { __typename }`).join(' ')} }`;
    for (const headers of [{}, SSE, MULTIPART]) {
      const { status, json } = await server.post({ query }, headers);
      expect([status, json.errors[0].extensions.code]).toEqual([400, 'TOO_MANY_ROOT_FIELDS']);
    }
    expect(server.requests).toEqual([]);
  });

  test('a POST request that accepts a stream gets one', async () => {
    const { text } = await server.post({ query: QUERY }, SSE);
    expect(text).toContain(
      'event: next\ndata: {"data":{"spaces":{"edges":[]}}}\n\nevent: complete',
    );
  });

  test('a simple POST request, which needs no preflight, is refused', async () => {
    const body = JSON.stringify({ query: QUERY });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      for (const accept of ['*/*', SSE.accept, MULTIPART.accept]) {
        const headers = { 'content-type': type, accept };
        expect((await server.send('POST', '/graphql', headers, body)).status).toBe(415);
      }
    }
    expect(server.requests).toEqual([]);
  });

  test('a POST request with an invalid token is refused in every protocol', async () => {
    for (const headers of [{}, SSE]) {
      const response = await server.post({ query: QUERY }, { authorization: 'forged', ...headers });
      expect(response).toMatchObject({
        status: 401,
        json: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
      });
    }
  });
});

describe('a request by GET', () => {
  test('a GET request is executed', async () => {
    const { status, json } = await server.get({ query: QUERY, variables: '{}' });
    expect([status, json.data]).toEqual([200, { spaces: { edges: [] } }]);
  });

  test('a GET request without a header that forces a preflight is refused', async () => {
    const { status, json } = await server.send(
      'GET',
      `/graphql?query=${encodeURIComponent(QUERY)}`,
    );
    expect([status, json.errors[0].extensions.code]).toEqual([400, 'BAD_REQUEST']);
    expect(server.requests).toEqual([]);
  });

  test.each(['mutation { rebuildMyPage { __typename } }', SUBSCRIPTION])(
    'a GET request cannot execute %s',
    async (query) => {
      const { status, headers, json } = await server.get({ query });
      expect([status, headers.allow]).toEqual([405, 'POST']);
      expect(json.errors[0].message).toMatch(/is not for GET: use POST/);
      expect(server.requests).toEqual([]);
    },
  );

  test.each([
    ['query=a&query=b', /query is there more than once/],
    ['query=a&variables=x', /variables is not JSON/],
    ['variables=%7B%7D', /^Send \{/],
  ])('a GET request with the parameters %s is refused', async (search, message) => {
    const headers = { 'apollo-require-preflight': '1' };
    const { status, json } = await server.send('GET', `/graphql?${search}`, headers);
    expect(status).toBe(400);
    expect(json.errors[0].message).toMatch(message);
  });

  test('a GET request is parsed as Apollo Server parses it, without the fragment after #', async () => {
    const search = `query=${encodeURIComponent('{ spaces { edges { cursor } }')}#%0A}`;
    const headers = { 'apollo-require-preflight': '1' };
    const { json } = await server.send('GET', `/graphql?${search}`, headers);
    expect(json.errors[0].extensions.code).toBe('GRAPHQL_PARSE_FAILED');
  });

  test('a GET request without parameters gets the page of the Sandbox', async () => {
    const page = await server.send('GET', '/graphql', { accept: 'text/html' });
    expect(page.headers['content-type']).toContain('text/html');
  });
});
