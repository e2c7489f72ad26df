import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openEdge, type RunningEdge } from './public-server-fixture.ts';

let edge: RunningEdge;
beforeAll(async () => {
  edge = await openEdge({ SPACERENT_PROFILE: 'embedded' });
});
afterAll(() => edge.close());
beforeEach(() => {
  edge.asked.length = 0;
});

const QUERY = '{ spaces { edges { cursor } } }';
const SUBSCRIPTION = 'subscription { myBookingStatuses { version } }';
const SSE = { accept: 'text/event-stream' };
const MULTIPART = { accept: 'multipart/mixed;subscriptionSpec=1.0, application/json' };

describe('a request by POST', () => {
  test.each(['application/json', 'application/graphql-response+json'])(
    'is answered as %s to those who want that',
    async (accept) => {
      const right = await edge.post({ query: QUERY }, { accept });
      expect(right).toMatchObject({ status: 200, json: { data: { spaces: { edges: [] } } } });
      const wrong = await edge.post({ query: '{ nothing }' }, { accept });
      expect(wrong).toMatchObject({
        status: 400,
        json: { errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] },
      });
      for (const answer of [right, wrong]) {
        expect(answer.headers['content-type']).toBe(`${accept}; charset=utf-8`);
        expect(answer.headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
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
    [{ query: SUBSCRIPTION }, 'BAD_REQUEST', /answered by a stream/],
    [
      { query: 'subscription { myBookingStatuses @skip(if: true) { version } }' },
      'GRAPHQL_VALIDATION_FAILED',
      /cannot have @skip/,
    ],
  ])('%j is refused with a sentence, in every protocol', async (body, code, message) => {
    for (const headers of [{}, SSE, MULTIPART]) {
      // A subscription is wrong for plain HTTP alone.
      if (code === 'BAD_REQUEST' && 'accept' in headers) continue;
      const { status, json } = await edge.post(body, headers);
      expect(status).toBe(400);
      expect(json.errors[0]).toMatchObject({
        message: expect.stringMatching(message),
        extensions: { code },
      });
    }
    expect(edge.asked).toEqual([]);
  });

  test('is held to the limits in every protocol', async () => {
    const query = `{ ${Array.from({ length: 11 }, (_, n) => `a${n}: spaces { __typename }`).join(' ')} }`;
    for (const headers of [{}, SSE, MULTIPART]) {
      const { status, json } = await edge.post({ query }, headers);
      expect([status, json.errors[0].extensions.code]).toEqual([400, 'TOO_MANY_ROOT_FIELDS']);
    }
    expect(edge.asked).toEqual([]);
  });

  test('is answered as a stream where that is wanted', async () => {
    const { text } = await edge.post({ query: QUERY }, SSE);
    expect(text).toContain(
      'event: next\ndata: {"data":{"spaces":{"edges":[]}}}\n\nevent: complete',
    );
  });

  test('is not a simple one: those that browsers send for any page are refused', async () => {
    const body = JSON.stringify({ query: QUERY });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      for (const accept of ['*/*', SSE.accept, MULTIPART.accept]) {
        const headers = { 'content-type': type, accept };
        expect((await edge.send('POST', '/graphql', headers, body)).status).toBe(415);
      }
    }
    expect(edge.asked).toEqual([]);
  });

  test('with a wrong token is told so, whatever it asks', async () => {
    for (const headers of [{}, SSE]) {
      const answer = await edge.post({ query: QUERY }, { authorization: 'forged', ...headers });
      expect(answer).toMatchObject({
        status: 401,
        json: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
      });
    }
  });
});

describe('a request by GET', () => {
  test('is answered', async () => {
    const { status, json } = await edge.get({ query: QUERY, variables: '{}' });
    expect([status, json.data]).toEqual([200, { spaces: { edges: [] } }]);
  });

  test('without a header that asks first is refused', async () => {
    const { status, json } = await edge.send('GET', `/graphql?query=${encodeURIComponent(QUERY)}`);
    expect([status, json.errors[0].extensions.code]).toEqual([400, 'BAD_REQUEST']);
    expect(edge.asked).toEqual([]);
  });

  test.each(['mutation { rebuildMyPage { __typename } }', SUBSCRIPTION])(
    'cannot do %s',
    async (query) => {
      const { status, headers, json } = await edge.get({ query });
      expect([status, headers.allow]).toEqual([405, 'POST']);
      expect(json.errors[0].message).toMatch(/is not for GET: use POST/);
      expect(edge.asked).toEqual([]);
    },
  );

  test.each([
    ['query=a&query=b', /query is there more than once/],
    ['query=a&variables=x', /variables is not JSON/],
    ['variables=%7B%7D', /^Send \{/],
  ])('%s is refused with a sentence', async (search, message) => {
    const headers = { 'apollo-require-preflight': '1' };
    const { status, json } = await edge.send('GET', `/graphql?${search}`, headers);
    expect(status).toBe(400);
    expect(json.errors[0].message).toMatch(message);
  });

  test('is read as Apollo Server reads it: what comes after a # is nobody’s', async () => {
    const search = `query=${encodeURIComponent('{ spaces { edges { cursor } }')}#%0A}`;
    const headers = { 'apollo-require-preflight': '1' };
    const { json } = await edge.send('GET', `/graphql?${search}`, headers);
    expect(json.errors[0].extensions.code).toBe('GRAPHQL_PARSE_FAILED');
  });

  test('for nothing shows the page', async () => {
    const page = await edge.send('GET', '/graphql', { accept: 'text/html' });
    expect(page.headers['content-type']).toContain('text/html');
  });
});
