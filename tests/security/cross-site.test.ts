import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { sql } from '../support/customer.ts';
import { describeSystems } from '../support/system.ts';

const FOREIGN = 'https://evil.example';

describeSystems('pages of other sites', (system) => {
  test.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['text/plain; application/json'],
    ['application/jsonp'],
    [''],
  ])('a page of another site cannot send a mutation with the content type %j', async (type) => {
    const name = `Space ${randomUUID()}`;
    const token = await system.token('mallory', 'host');
    const query = `mutation { listSpace(input: { name: "${name}", capacity: 1, hourlyRate: 1 }) { __typename } }`;
    const response = await fetch(system.graphqlUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, origin: FOREIGN, 'content-type': type },
      body: new TextEncoder().encode(JSON.stringify({ query })),
    });
    expect(response.status).toBe(415);
    expect(await countSpaces(name)).toBe(0);
  });

  test('a page of another site cannot send a mutation by GET, with or without a preflight header', async () => {
    const name = `Space ${randomUUID()}`;
    const token = await system.token('mallory', 'host');
    const query = `mutation { listSpace(input: { name: "${name}", capacity: 1, hourlyRate: 1 }) { __typename } }`;
    const url = `${system.graphqlUrl}?${new URLSearchParams({ query })}`;
    const authorization = `Bearer ${token}`;
    expect((await fetch(url, { headers: { authorization } })).status).toBe(400);
    const preflighted = { authorization, 'apollo-require-preflight': 'true' };
    expect((await fetch(url, { headers: preflighted })).status).toBe(405);
    expect(await countSpaces(name)).toBe(0);
  });

  test.each([
    [{}],
    [{ 'content-type': 'text/plain' }],
    [{ 'content-type': 'application/x-www-form-urlencoded', accept: 'text/event-stream' }],
  ])(
    'a page of another site cannot send a query by GET with the headers %j',
    async (headers: object) => {
      const url = `${system.graphqlUrl}?query=%7B__typename%7D`;
      const response = await fetch(url, { headers: { ...headers, origin: FOREIGN } });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain('cross-site request forgery');
    },
  );

  test.each([FOREIGN, 'null', 'http://localhost.evil.example'])(
    'a page of the origin %s receives no CORS headers',
    async (origin) => {
      const json = { origin, 'content-type': 'application/json' };
      const preflight = { origin, 'access-control-request-method': 'POST' };
      const body = '{"query":"{ __typename }"}';
      const responses = await Promise.all([
        fetch(system.graphqlUrl, { method: 'OPTIONS', headers: preflight }),
        fetch(system.graphqlUrl, { method: 'POST', headers: json, body }),
        fetch(`${system.address}/health/ready`, { headers: { origin } }),
        fetch(`${system.address}/dev/token`, { method: 'OPTIONS', headers: preflight }),
      ]);
      for (const { headers } of responses) {
        const allowed = [...headers.keys()].filter((each) => each.startsWith('access-control-'));
        expect(allowed).toEqual([]);
      }
    },
  );

  test.each([FOREIGN, 'null', 'file://', 'http://127.0.0.1:1'])(
    'a page of the origin %s cannot open a WebSocket',
    async (origin) => {
      const socket = new WebSocket(
        system.graphqlUrl.replace(/^http/, 'ws'),
        'graphql-transport-ws',
        { origin },
      );
      const status = await new Promise((resolve) => {
        socket.on('error', () => {});
        socket.once('open', () => resolve('open'));
        socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      });
      socket.terminate();
      expect(status).toBe(403);
    },
  );

  async function countSpaces(name: string): Promise<number> {
    return (await sql(system, 'space', 'SELECT FROM space WHERE name = $1', [name])).length;
  }
});
