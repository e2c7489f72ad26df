import { afterEach, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { toOutcome } from '#platform/graphql/outcome.ts';
import { startRedis } from '../../tests/support/servers.mjs';
import { until } from '../../tests/support/system.ts';
import { routerMetrics } from '../src/observability/metrics.ts';
import { openPublicServer, type RunningServer } from './public-server-fixture.ts';

const TOKEN = 'a-token-for-the-metrics';
const PASSWORD = 'unguessable-password-of-redis';
const kim = { authorization: 'Bearer kim' };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(settings: Record<string, string> = { METRICS_TOKEN: TOKEN }) {
  const server = await openPublicServer(settings);
  closing.push(server.close);
  return server;
}

async function readLines(server: RunningServer): Promise<string[]> {
  const { status, text } = await server.send('GET', '/metrics', {
    authorization: `Bearer ${TOKEN}`,
  });
  expect(status).toBe(200);
  return text.split('\n').filter((line) => line.startsWith('spacerent_'));
}

const hasLine = (server: RunningServer, line: string) =>
  until(line, async () => (await readLines(server)).includes(line));
const counted = (labels: string, count: number) =>
  `spacerent_router_operation_seconds_count{service="router",${labels}} ${count}`;

describe('the metrics of the router', () => {
  test.each([
    ['without a token', {}],
    ['with another token', { authorization: 'Bearer another-token-for-metrics' }],
    ['with a user’s token', kim],
  ])('the metrics are not served %s', async (_how, headers) => {
    const { status, json, text } = await (await open()).send('GET', '/metrics', headers);
    expect([status, json.errors[0].extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(text).not.toContain('spacerent_router');
  });

  test('the metrics are not served when no token is set', async () => {
    const server = await open({});
    for (const authorization of ['', 'Bearer ', 'Bearer undefined']) {
      expect((await server.send('GET', '/metrics', { authorization })).status).toBe(401);
    }
  });

  test('the metrics count and time operations by name, kind and outcome', async () => {
    const server = await open();
    const list = 'query List { spaces { edges { cursor } } }';
    for (let n = 0; n < 2; n += 1) await server.post({ query: list });
    await server.get({ query: '{ spaces { edges { cursor } } }' });
    await server.post({ query: 'query Wrong { nothing }' });
    await server.post({ query: '{"' });
    await server.send('POST', '/graphql', { 'content-type': 'application/json' }, '{');
    await server.post({ query: list }, { authorization: 'Bearer !' });
    server.subgraph.respond = async () => {
      throw new Error('away');
    };
    await server.post({ query: list });
    await hasLine(server, counted('operation="List",kind="query",outcome="ok"', 2));
    await hasLine(server, counted('operation="List",kind="query",outcome="error"', 1));
    await hasLine(server, counted('operation="anonymous",kind="query",outcome="ok"', 1));
    await hasLine(server, counted('operation="unread",kind="unread",outcome="refused"', 3));
    await hasLine(server, counted('operation="unread",kind="unread",outcome="unauthenticated"', 1));
    expect((await readLines(server)).join()).not.toContain('Wrong');
  });

  test('the metrics count operations above the rate in every protocol, and open WebSockets', async () => {
    const server = await open({ METRICS_TOKEN: TOKEN, QUERY_COST_PER_MINUTE_PER_USER: '25' });
    const query = 'query List { spaces(first: 20) { edges { cursor } } }';
    for (const accept of ['application/json', 'text/event-stream']) {
      await server.post({ query }, { ...kim, accept });
    }
    const client = createClient({
      url: `ws://127.0.0.1:${server.port}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: kim,
      lazy: false,
      retryAttempts: 0,
      onNonLazyError: () => {},
    });
    closing.push(async () => client.dispose());
    await new Promise((resolve) =>
      client.subscribe({ query }, { next: resolve, error: resolve, complete: () => resolve(null) }),
    );
    const total = (protocol: string, outcome: string) =>
      `spacerent_router_operations_total{kind="query",protocol="${protocol}",outcome="${outcome}",service="router"} 1`;
    await hasLine(server, total('http', 'ok'));
    await hasLine(server, total('sse', 'limited'));
    await hasLine(server, total('websocket', 'limited'));
    await hasLine(server, 'spacerent_router_websockets_open{service="router"} 1');
    await hasLine(server, 'spacerent_router_subscriptions_open{service="router"} 0');
  });

  const testWithRedis = process.env.TEST_REDIS_URL ? test : test.skip;
  testWithRedis('the metrics show whether notifications and counters are connected', async () => {
    const redis = await startRedis(PASSWORD);
    closing.push(redis.stop);
    const server = await open({
      METRICS_TOKEN: TOKEN,
      REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:${redis.port}`,
    });
    const connected = (to: string, value: 0 | 1) =>
      hasLine(server, `spacerent_connected{to="${to}",service="router"} ${value}`);
    for (const to of ['notifications', 'counters']) await connected(to, 1);
    await redis.stop();
    for (const to of ['notifications', 'counters']) await connected(to, 0);
  });

  test('the metrics have series for 200 names of operations, and one for all others', async () => {
    const metrics = routerMetrics();
    const observe = (name: string) =>
      metrics.observe({ kind: 'query', name, protocol: 'http', outcome: 'ok' }, 0.001);
    observe('x'.repeat(65));
    for (let n = 0; n < 1_000; n += 1) observe(`Name${n}`);
    for (let n = 0; n < 10; n += 1) observe('Name0');
    const text = await metrics.registry.metrics();
    const counts = text.split('\n').filter((line) => /operation_seconds_count/.test(line));
    expect(counts).toHaveLength(201);
    const [other] = counts.filter((line) => line.includes('operation="other"'));
    expect(other).toMatch(/ 801$/);
    expect(counts.find((line) => line.includes('"Name0"'))).toMatch(/ 11$/);
  });

  test.each([
    [[], 'ok'],
    [['RATE_LIMITED'], 'limited'],
    [['UNAUTHENTICATED', 'FORBIDDEN'], 'unauthenticated'],
    [['FORBIDDEN'], 'refused'],
    [['NOT_FOUND', 'SERVICE_UNAVAILABLE'], 'error'],
    [['DOWNSTREAM_SERVICE_ERROR'], 'error'],
    [[undefined], 'error'],
  ])('errors with the codes %j have the outcome %s', (codes, outcome) => {
    expect(toOutcome(codes.map((code) => ({ extensions: { code } })))).toBe(outcome);
  });
});
