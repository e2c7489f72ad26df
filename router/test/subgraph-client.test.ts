import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { Logger } from '#platform/observability/logger.ts';
import { silent } from '../../tests/support/database.ts';
import { freePort } from '../../tests/support/servers.mjs';
import { SubgraphClient } from '../src/executor/subgraph-client.ts';

const QUERY = 'query Spaces__space__0 { spaces { id } }';
const ENTITIES =
  'query Q__space__1($representations: [_Any!]!) { _entities(representations: $representations) { __typename } }';
const MUTATION = 'mutation List__space__0 { listSpace { id } }';
const RESPONSE = { data: { spaces: [] } };

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function openClient(
  port: number,
  logger: Logger = silent,
  identifiesRouter = true,
): SubgraphClient {
  const client = new SubgraphClient('space', {
    url: `http://127.0.0.1:${port}/graphql`,
    authorize: async () => 'Bearer test',
    identifiesRouter,
    timeoutMs: 3_000,
    logger,
  });
  ends.unshift(() => client.close());
  return client;
}

/** A subgraph whose first requests are handled by `first`; all others get a response. */
async function subgraph(...first: ((response: ServerResponse, socket: Socket) => void)[]) {
  const connections: Socket[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    request.resume();
    request.once('end', () => {
      connections.push(request.socket);
      const fail = first.shift();
      if (fail) return fail(response, request.socket);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(RESPONSE));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  return { port, client: openClient(port), connections };
}

const failures = [
  {
    failure: 'a reset connection',
    fail: (_response: ServerResponse, socket: Socket) => void socket.resetAndDestroy(),
  },
  {
    failure: 'a connection that ends without a response',
    fail: (_response: ServerResponse, socket: Socket) => void socket.destroy(),
  },
  {
    failure: 'a 503',
    fail: (response: ServerResponse) => void response.writeHead(503).end('{"status":"draining"}'),
  },
  {
    failure: 'a 502 of a proxy',
    fail: (response: ServerResponse) =>
      void response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>'),
  },
];
const context = { principal: null };

test.each([
  ['HTTP 500', 500, 'application/json'],
  ['text/plain', 200, 'text/plain'],
])(
  'a response with %s that is valid GraphQL is used, and logged once',
  async (_name, status, type) => {
    const respond = (response: ServerResponse) =>
      void response.writeHead(status, { 'content-type': type }).end(JSON.stringify(RESPONSE));
    const { port } = await subgraph(respond, respond);
    const lines: string[] = [];
    const client = openClient(
      port,
      pino({ level: 'warn' }, { write: (line) => void lines.push(line) }),
    );
    for (let n = 0; n < 2; n += 1) {
      expect(await client.send({ query: QUERY, variables: {} }, context)).toEqual(RESPONSE);
    }
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      subgraph: 'space',
      msg: 'a subgraph responds with GraphQL, but not as GraphQL over HTTP asks',
      err: { message: `HTTP ${status}, content type ${type}` },
    });
  },
);

test('a 401 refuses the router where the router identifies itself, and otherwise its client', async () => {
  const refusal = { errors: [{ message: 'Who are you?' }] };
  const refuse = (response: ServerResponse) =>
    void response.writeHead(401).end(JSON.stringify(refusal));
  const { port, client } = await subgraph(refuse, refuse);
  await expect(client.send({ query: QUERY, variables: {} }, context)).rejects.toMatchObject({
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
  const passingOn = openClient(port, silent, false);
  expect(await passingOn.send({ query: QUERY, variables: {} }, context)).toEqual(refusal);
});

describe.each(failures)('after $failure', ({ fail }) => {
  test.each([
    ['query', QUERY],
    ['fetch of entities', ENTITIES],
  ])('the router sends a %s a second time, over another connection', async (_, query) => {
    const { client, connections } = await subgraph(fail);
    expect(await client.send({ query, variables: {} }, context)).toEqual(RESPONSE);
    expect(connections).toHaveLength(2);
    expect(connections[0]).not.toBe(connections[1]);
  });

  test('the router does not send a query a third time', async () => {
    const { client, connections } = await subgraph(fail, fail);
    await expect(client.send({ query: QUERY, variables: {} }, context)).rejects.toMatchObject({
      extensions: { code: 'SERVICE_UNAVAILABLE' },
    });
    expect(connections).toHaveLength(2);
  });

  test('the router never sends a mutation a second time', async () => {
    const { client, connections } = await subgraph(fail);
    await expect(client.send({ query: MUTATION, variables: {} }, context)).rejects.toMatchObject({
      extensions: { code: 'SERVICE_UNAVAILABLE' },
    });
    expect(connections).toHaveLength(1);
  });
});

test('a query to a port without a server fails as unavailable', async () => {
  const client = openClient(await freePort());
  await expect(client.send({ query: QUERY, variables: {} }, context)).rejects.toMatchObject({
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
});

test('a query to a slow subgraph is not sent a second time', async () => {
  const { client, connections } = await subgraph(() => {});
  await expect(client.send({ query: QUERY, variables: {} }, context)).rejects.toMatchObject({
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
  expect(connections).toHaveLength(1);
  connections[0]?.destroy();
});

test('a response that does not end in time fails as unavailable, although its parts keep coming', async () => {
  let timer: NodeJS.Timeout | undefined;
  const { client } = await subgraph((response) => {
    timer = setInterval(() => response.write(' '), 200);
  });
  await expect(client.send({ query: QUERY, variables: {} }, context)).rejects.toMatchObject({
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
  clearInterval(timer);
});
