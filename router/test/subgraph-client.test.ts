import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
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

function openClient(port: number): SubgraphClient {
  const client = new SubgraphClient('space', {
    url: `http://127.0.0.1:${port}/graphql`,
    authorize: async () => 'Bearer test',
    identifiesRouter: true,
    timeoutMs: 3_000,
    logger: silent,
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
  return { client: openClient((server.address() as AddressInfo).port), connections };
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
];
const context = { principal: null };

test.each([
  ['HTTP 500', 500, 'application/json'],
  ['text/plain', 200, 'text/plain'],
])('a response with %s that is valid GraphQL is used', async (_name, status, type) => {
  const { client } = await subgraph((response) => {
    response.writeHead(status, { 'content-type': type }).end(JSON.stringify(RESPONSE));
  });
  expect(await client.send({ query: QUERY, variables: {} }, context)).toEqual(RESPONSE);
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
