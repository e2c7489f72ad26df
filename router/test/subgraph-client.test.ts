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
const ANSWER = { data: { spaces: [] } };

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function clientOf(port: number): SubgraphClient {
  const authorize = async () => 'Bearer test';
  const client = new SubgraphClient('space', `http://127.0.0.1:${port}`, authorize, 3_000, silent);
  ends.unshift(() => client.close());
  return client;
}

/** A subgraph whose first requests are met as `first` says, all others with an answer. */
async function subgraph(...first: ((response: ServerResponse, socket: Socket) => void)[]) {
  const connections: Socket[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    request.resume();
    request.once('end', () => {
      connections.push(request.socket);
      const fail = first.shift();
      if (fail) return fail(response, request.socket);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(ANSWER));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  return { client: clientOf((server.address() as AddressInfo).port), connections };
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
const context = { viewer: null };

describe.each(failures)('after $failure the router', ({ fail }) => {
  test.each([
    ['query', QUERY],
    ['fetch of entities', ENTITIES],
  ])('sends a %s a second time, over another connection', async (_, query) => {
    const { client, connections } = await subgraph(fail);
    expect(await client.ask({ query, variables: {} }, context)).toEqual(ANSWER);
    expect(connections).toHaveLength(2);
    expect(connections[0]).not.toBe(connections[1]);
  });

  test('does not send a query a third time', async () => {
    const { client, connections } = await subgraph(fail, fail);
    await expect(client.ask({ query: QUERY, variables: {} }, context)).rejects.toMatchObject({
      extensions: { code: 'SERVICE_UNAVAILABLE' },
    });
    expect(connections).toHaveLength(2);
  });

  test('never sends a mutation a second time', async () => {
    const { client, connections } = await subgraph(fail);
    await expect(client.ask({ query: MUTATION, variables: {} }, context)).rejects.toMatchObject({
      extensions: { code: 'SERVICE_UNAVAILABLE' },
    });
    expect(connections).toHaveLength(1);
  });
});

test('a query to where nobody listens is answered as unavailable', async () => {
  const client = clientOf(await freePort());
  await expect(client.ask({ query: QUERY, variables: {} }, context)).rejects.toMatchObject({
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
});

test('a subgraph that is slow is not asked a second time', async () => {
  const { client, connections } = await subgraph(() => {});
  await expect(client.ask({ query: QUERY, variables: {} }, context)).rejects.toMatchObject({
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
  expect(connections).toHaveLength(1);
  connections[0]?.destroy();
});
