import { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { badInput } from '../graphql/errors.ts';
import { createHttpServer } from '../http/http-server.ts';
import { requestMetrics } from '../http/request-metrics.ts';
import { createLogger } from '../observability/logger.ts';
import { createMetrics } from '../observability/metrics.ts';

const metrics = createMetrics('book');
let app: FastifyInstance;
let apollo: ApolloServer;
let address: string;

beforeAll(async () => {
  const health = { ready: async () => {}, draining: new AbortController().signal };
  app = createHttpServer(health, createLogger('test', 'silent'));
  apollo = new ApolloServer({
    typeDefs: 'type Query { fine: Int refused: Int broken: Int }',
    resolvers: {
      Query: {
        fine: () => 1,
        refused: () => {
          throw badInput('id', 'no');
        },
        broken: () => {
          throw new TypeError('bug');
        },
      },
    },
    plugins: [requestMetrics(app, metrics)],
  });
  await apollo.start();
  app.post('/graphql', fastifyApolloHandler(apollo));
  app.get('/events/:id', async () => 'event');
  address = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await app.close();
  await apollo.stop();
});

test('requests to a context are counted and timed by route and outcome, and health checks are not', async () => {
  const query = (text: string) =>
    fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: text }),
    });
  for (const text of ['{ fine }', '{ fine }', '{ refused }', '{ broken }', '{ nothing }']) {
    await query(text);
  }
  for (const path of ['/events/1', '/events/2', '/one', '/two', '/health/live']) {
    await fetch(`${address}${path}`);
  }
  const pattern = /_count\{.*route="(.*)",outcome="(.*)"\} (\d+)/;
  const counts = (await metrics.metrics())
    .split('\n')
    .map((line) => pattern.exec(line)?.slice(1).join(' '))
    .filter((count) => count !== undefined);
  expect(counts).toEqual([
    ...['/graphql ok 2', '/graphql refused 2', '/graphql error 1'],
    ...['/events/:id ok 2', 'unknown refused 2'],
  ]);
});
