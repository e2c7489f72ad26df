import { describe, expect, test } from '@jest/globals';
import { newCustomer } from '../support/customer.ts';
import { describeSystems } from '../support/system.ts';
import { executeOver, openSocket, protocols, sendRaw } from './protocols.ts';

const many = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

const ATTACKS: [name: string, code: string, query: string][] = [
  [
    'too deep',
    'OPERATION_TOO_DEEP',
    `{ __schema { types { ${'fields { type { '.repeat(8)} name ${'} } '.repeat(8)} } } }`,
  ],
  [
    'too wide',
    'TOO_MANY_SELECTIONS',
    `{ myPage { ...A ...A ...A } } ${many(3, (n) => `fragment ${'ABC'[n]} on MyPage { ${'ABC'[n + 1] ? `...${'ABC'[n + 1]} `.repeat(20) : '__typename'} }`)}`,
  ],
  [
    'full of aliases',
    'TOO_MANY_ALIASES',
    `{ spaces { ${many(31, (n) => `a${n}: edges { cursor }`)} } }`,
  ],
  [
    'full of directives',
    'TOO_MANY_DIRECTIVES',
    `{ spaces { ${many(31, () => '... @include(if: true) { __typename }')} } }`,
  ],
  [
    'a bomb of fragments',
    'TOO_MANY_ROOT_FIELDS',
    `{ ...F0 } ${many(100, (n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`)} fragment F100 on Query { __typename }`,
  ],
  ['full of root fields', 'TOO_MANY_ROOT_FIELDS', `{ ${many(11, (n) => `a${n}: __typename`)} }`],
  ['full of tokens', 'TOO_MANY_TOKENS', `{ ${'a '.repeat(2_000)} }`],
  ['too costly', 'OPERATION_TOO_COSTLY', '{ spaces(first: 1000000) { edges { node { id } } } }'],
];

describeSystems('operations that exceed a limit', (system) => {
  describe.each(Object.keys(protocols))('operations that exceed a limit over %s', (protocol) => {
    test.each(ATTACKS)('an operation that is %s is refused with %s', async (_name, code, query) => {
      const { codes } = await executeOver(protocol, system, { query });
      expect(codes).toContain(code);
    });
  });

  test('a batch of operations in one request is refused', async () => {
    const body = JSON.stringify(Array.from({ length: 10 }, () => ({ query: '{ __typename }' })));
    for (const accept of ['application/json', 'text/event-stream']) {
      const headers = { 'content-type': 'application/json', accept };
      const response = await fetch(system.graphqlUrl, { method: 'POST', headers, body });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain('Several operations in one request');
    }
    const socket = await openSocket(system);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send(body);
    expect(await closed).toBe(4400);
  });

  test('a subscription that exceeds a limit is refused with the same codes', async () => {
    const { token } = await newCustomer(system);
    const query = `subscription { myBookingStatuses { ${many(31, (n) => `a${n}: status`)} } }`;
    for (const protocol of ['Server-Sent Events', 'multipart HTTP', 'WebSocket']) {
      const { codes } = await executeOver(protocol, system, { query }, token);
      expect(codes).toEqual(['TOO_MANY_ALIASES']);
    }
  });
});

describeSystems('requests that are too large', (system) => {
  test('a body that is too large is refused before its end', async () => {
    const received = await sendRaw(system.address, (send) => {
      send('POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n');
      send(`Content-Length: 10000000000\r\n\r\n{"query":"${' '.repeat(200_000)}`);
    });
    expect(received).toMatch(/^HTTP\/1\.1 413 /);
    expect(received).toContain('"code":"PAYLOAD_TOO_LARGE"');
  });

  test('a body in endless chunks is cut off', async () => {
    let sending: NodeJS.Timeout | undefined;
    const received = await sendRaw(system.address, (send) => {
      send('POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n');
      send('Transfer-Encoding: chunked\r\n\r\n');
      sending = setInterval(() => send(`8000\r\n${' '.repeat(0x8000)}\r\n`), 5);
    }).finally(() => clearInterval(sending));
    expect(received).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('a frame that is too large closes the WebSocket', async () => {
    const socket = await openSocket(system);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send(`{"id":"1","type":"subscribe","payload":{"query":"${' '.repeat(131_072)}"}}`);
    expect(await closed).toBe(1009);
  });

  test('a frame in endless fragments closes the WebSocket', async () => {
    const socket = await openSocket(system);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const sending = setInterval(() => socket.send(' '.repeat(20_000), { fin: false }, () => {}), 5);
    expect(await closed.finally(() => clearInterval(sending))).toBe(1009);
  });
});
