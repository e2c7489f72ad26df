import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { sql } from '../support/customer.ts';
import { describeSystems, type System, until } from '../support/system.ts';
import { startOwnRouter } from './own-router.ts';
import { executeOver } from './protocols.ts';

const LIMIT = 10;

/** A mutation that lists `count` spaces, each under an alias. */
const LIST = (count: number) =>
  `mutation { ${Array.from(
    { length: count },
    (_, n) =>
      `a${n}: listSpace(input: { name: "Space", capacity: 1, hourlyRate: 1 }) { __typename }`,
  ).join(' ')} }`;

describeSystems('concurrent mutations of one user', (system) => {
  let limited: System;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const own = await startOwnRouter(system, 'limited-router', {
      MUTATIONS_PER_MINUTE_PER_USER: String(LIMIT),
    });
    stop = own.stop;
    limited = own.router;
  });
  afterAll(() => stop());

  test.each([
    ['one by one', 1],
    ['five to a request, by aliases', 5],
    ['four to a request, which do not divide the limit', 4],
  ])(
    'mutations that are sent %s are executed up to the limit and no further',
    async (_name, each) => {
      const host = `host-${randomUUID()}`;
      const token = await system.token(host, 'host');
      const over = ['POST', 'Server-Sent Events', 'WebSocket'];
      const responses = await Promise.all(
        Array.from({ length: 24 }, (_, n) =>
          executeOver(String(over[n % over.length]), limited, { query: LIST(each) }, token),
        ),
      );
      const executed = responses.filter(({ codes }) => codes.length === 0);
      const refused = responses.filter(({ codes }) => codes.join() === 'RATE_LIMITED');
      expect(executed.length).toBe(Math.floor(LIMIT / each));
      expect(executed.length + refused.length).toBe(responses.length);
      const spaces = await sql(system, 'space', 'SELECT FROM space WHERE host_id = $1', [host]);
      expect(spaces).toHaveLength(executed.length * each);
      // The limit of one user does not affect another user.
      const other = await system.token(`host-${randomUUID()}`, 'host');
      expect((await executeOver('POST', limited, { query: LIST(1) }, other)).codes).toEqual([]);
    },
  );

  test('a request with more mutations than the limit allows is refused as a whole', async () => {
    const host = `host-${randomUUID()}`;
    const token = await system.token(host, 'host');
    await executeOver('POST', limited, { query: LIST(9) }, token);
    expect((await executeOver('POST', limited, { query: LIST(9) }, token)).codes).toEqual([
      'RATE_LIMITED',
    ]);
    const spaces = await sql(system, 'space', 'SELECT FROM space WHERE host_id = $1', [host]);
    expect(spaces).toHaveLength(9);
  });
});

describeSystems('queries and connections of anonymous clients', (system) => {
  const SLOTS = `freeSlots(from: "2030-01-01T00:00:00Z", to: "2030-02-01T00:00:00Z") { startAt }`;
  const PAGE = `spaces(first: 100) { edges { node { ${SLOTS} } } }`;
  let limited: System;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const own = await startOwnRouter(system, 'budget-router', {
      QUERY_COST_PER_MINUTE_PER_ADDRESS: '14000',
      QUERY_COST_PER_MINUTE_PER_USER: '14000',
      WEBSOCKETS_PER_ADDRESS: '50',
    });
    stop = own.stop;
    limited = own.router;
  });
  afterAll(() => stop());

  test('a query for the free slots of three hundred spaces is refused as too costly', async () => {
    const query = `{ a: ${PAGE} b: ${PAGE} c: ${PAGE} }`;
    expect((await executeOver('POST', limited, { query }, null)).codes).toEqual([
      'OPERATION_TOO_COSTLY',
    ]);
  });

  test('anonymous queries end with the budget of their address, and customers there continue', async () => {
    const over = ['POST', 'GET', 'Server-Sent Events', 'WebSocket'];
    const responses: string[] = [];
    for (let n = 0; n < 8; n += 1) {
      const { codes } = await executeOver(
        String(over[n % 4]),
        limited,
        { query: `{ ${PAGE} }` },
        null,
      );
      responses.push(codes.join());
    }
    expect(responses).toEqual(['', '', ...Array(6).fill('RATE_LIMITED')]);
    const customers = await Promise.all(
      ['kim', 'lee'].map(async (name) => {
        const token = await system.token(`${name}-${randomUUID()}`);
        return (await executeOver('POST', limited, { query: `{ ${PAGE} }` }, token)).codes;
      }),
    );
    expect(customers).toEqual([[], []]);
  });

  test('idle WebSockets are accepted up to the limit of an address and closed after a while', async () => {
    const url = limited.graphqlUrl.replace(/^http/, 'ws');
    const closed: number[] = [];
    const open = () =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(url, 'graphql-transport-ws');
        socket.on('error', () => {});
        socket.on('unexpected-response', (_request, { statusCode }) => resolve(String(statusCode)));
        socket.on('open', () => {
          socket.send('{"type":"connection_init"}');
          resolve('open');
        });
        socket.on('close', (code) => closed.push(code));
      });
    const opened = await Promise.all(Array.from({ length: 60 }, open));
    expect(opened.filter((each) => each === 'open')).toHaveLength(50);
    expect(opened.filter((each) => each === '429')).toHaveLength(10);
    await until(
      'all of them are closed',
      async () => closed.filter((code) => code === 1000).length === 50,
    );
    expect(await open()).toBe('open');
  });
});
