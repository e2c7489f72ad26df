import { afterEach, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { openPublicServer, type RunningServer } from './public-server-fixture.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('mutations above the rate', () => {
  const MUTATION = 'mutation { a: rebuildMyPage { __typename } b: rebuildMyPage { __typename } }';
  let server: RunningServer;

  async function openLimited() {
    server = await openPublicServer({
      MUTATIONS_PER_MINUTE_PER_USER: '4',
      MUTATIONS_PER_MINUTE_PER_ADDRESS: '6',
      TRUSTED_PROXIES: '127.0.0.1',
    });
    closing.push(() => server.close());
  }
  const kim = { authorization: 'Bearer kim' };

  test('mutations above the rate are refused over HTTP with 429 and Retry-After', async () => {
    await openLimited();
    for (let n = 0; n < 2; n += 1)
      expect((await server.post({ query: MUTATION }, kim)).status).toBe(200);
    const { status, headers, json } = await server.post({ query: MUTATION }, kim);
    expect([status, headers['retry-after']]).toEqual([429, '60']);
    expect(json.errors[0]).toMatchObject({
      message: 'Too many mutations: 4 a minute are allowed. Try again in 60 s.',
      extensions: { code: 'RATE_LIMITED', retryAfterSeconds: 60 },
    });
    expect((await server.post({ query: '{ __typename }' }, kim)).status).toBe(200);
    const elsewhere = { authorization: 'Bearer lee', 'x-forwarded-for': '198.51.100.1' };
    expect((await server.post({ query: MUTATION }, elsewhere)).status).toBe(200);
    expect(server.requests).not.toEqual([]);
  });

  test('mutations above the rate are refused in every protocol, and counted together', async () => {
    await openLimited();
    for (let n = 0; n < 2; n += 1) await server.post({ query: MUTATION }, kim);
    const streamed = await server.post(
      { query: MUTATION },
      { ...kim, accept: 'text/event-stream' },
    );
    expect([streamed.status, streamed.json.errors[0].extensions.code]).toEqual([
      429,
      'RATE_LIMITED',
    ]);
    const client = createClient({
      url: `ws://127.0.0.1:${server.port}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: kim,
      retryAttempts: 0,
    });
    const errors = await new Promise((resolve) =>
      client.subscribe(
        { query: MUTATION },
        { next: resolve, complete: () => resolve('complete'), error: resolve },
      ),
    );
    expect(errors).toMatchObject([
      { extensions: { code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) } },
    ]);
    await client.dispose();
  });

  test('invalid mutations and simple requests are not counted', async () => {
    await openLimited();
    const simple = { ...kim, 'content-type': 'text/plain' };
    for (let n = 0; n < 10; n += 1) {
      expect((await server.post({ query: 'mutation { nothing }' }, kim)).status).toBe(400);
      expect((await server.get({ query: MUTATION }, kim)).status).toBe(405);
      const body = JSON.stringify({ query: MUTATION });
      expect((await server.send('POST', '/graphql', simple, body)).status).toBe(415);
    }
    expect((await server.post({ query: MUTATION }, kim)).status).toBe(200);
  });
});

describe('queries above the budget', () => {
  const QUERY = '{ spaces(first: 50) { edges { cursor } } }';
  const SUBSCRIPTION = 'subscription { myBookingStatuses { version } }';

  async function openSpent(headers: Record<string, string>) {
    const server = await openPublicServer({
      QUERY_COST_PER_MINUTE_PER_USER: '160',
      QUERY_COST_PER_MINUTE_PER_ADDRESS: '60',
      TRUSTED_PROXIES: '127.0.0.1',
    });
    closing.push(() => server.close());
    let last = await server.post({ query: QUERY }, headers);
    for (let n = 0; n < 10 && last.status === 200; n += 1) {
      last = await server.post({ query: QUERY }, headers);
    }
    return { server, last };
  }

  test('queries above the budget are refused over HTTP with 429 and Retry-After', async () => {
    const { server, last } = await openSpent({});
    expect(last).toMatchObject({
      status: 429,
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
      json: { errors: [{ extensions: { code: 'RATE_LIMITED' } }] },
    });
    expect(last.json.errors[0].message).toMatch(
      /^Too many queries: your address's queries of a minute may cost 60 in all\. Try again in \d+ s\.$/,
    );
    const byGet = await server.get({ query: QUERY });
    const streamed = await server.post({ query: QUERY }, { accept: 'text/event-stream' });
    expect([byGet.status, streamed.status]).toEqual([429, 429]);
    // Signed-in users and other addresses have budgets of their own.
    expect((await server.post({ query: QUERY }, { authorization: 'Bearer kim' })).status).toBe(200);
    const elsewhere = { 'x-forwarded-for': '198.51.100.1' };
    expect((await server.post({ query: QUERY }, elsewhere)).status).toBe(200);
  });

  test('neither queries nor subscriptions above the budget start, in any protocol', async () => {
    const kim = { authorization: 'Bearer kim' };
    const { server } = await openSpent(kim);
    const accept = ['text/event-stream', 'multipart/mixed;subscriptionSpec=1.0'];
    for (const each of accept) {
      let response = await server.post({ query: QUERY }, { ...kim, accept: each });
      expect(response.status).toBe(429);
      // A subscription costs little: the rest of the budget may be enough for some.
      for (let n = 0; n < 20 && response.status !== 429; n += 1) {
        response = await server.post({ query: SUBSCRIPTION }, { ...kim, accept: each });
      }
      expect(response.status).toBe(429);
    }
    const client = createClient({
      url: `ws://127.0.0.1:${server.port}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: kim,
      retryAttempts: 0,
    });
    const errors = await new Promise((resolve) =>
      client.subscribe(
        { query: QUERY },
        { next: resolve, complete: () => resolve('complete'), error: resolve },
      ),
    );
    expect(errors).toMatchObject([
      { extensions: { code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) } },
    ]);
    await client.dispose();
  });
});
