import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { listSpace, newCustomer } from '../support/customer.ts';
import { describeSystems, type System, until } from '../support/system.ts';

const STATUS = 'subscription ($id: ID!) { bookingStatus(bookingId: $id) { status version } }';
const MINE = 'subscription { myBookingStatuses { version } }';
const UNKNOWN = '018f0000-0000-7000-8000-000000000000';

const sockets: WebSocket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
});

/** A plain WebSocket, which can also violate the protocol. */
async function connect(system: System, protocol: string | [] = 'graphql-transport-ws') {
  const address = system.graphqlUrl.replace(/^http/, 'ws');
  const socket = new WebSocket(address, protocol);
  sockets.push(socket);
  // biome-ignore lint/suspicious/noExplicitAny: tests read into responses and fail where they differ
  const messages: any[] = [];
  const closed: { code?: number; reason?: string } = {};
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  socket.on('close', (code, reason) => Object.assign(closed, { code, reason: String(reason) }));
  socket.on('error', () => {});
  await once(socket, 'open');
  const send = (message: unknown) =>
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  return {
    socket,
    messages,
    closed,
    send,
    of: (id: string) => messages.filter((message) => message.id === id),
    async init(token?: string) {
      send({
        type: 'connection_init',
        ...(token && { payload: { Authorization: `Bearer ${token}` } }),
      });
      await until('acknowledged', async () => messages[0]?.type === 'connection_ack');
    },
    isClosed: (code: number) => until(`closed with ${code}`, async () => closed.code === code, 10),
  };
}

const subscribe = (id: string, query: string, variables?: object) => ({
  id,
  type: 'subscribe',
  payload: { query, variables },
});

async function stream(system: System, token: string, accept: string, body: object | string) {
  return fetch(system.graphqlUrl, {
    method: 'POST',
    headers: { accept, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}
const SSE = 'text/event-stream';
const MULTIPART = 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json';

describeSystems('protocols of subscriptions', (system) => {
  test('a violation of the WebSocket protocol closes its socket with the right code, and no other socket', async () => {
    const kim = await newCustomer(system);
    const bystander = await connect(system);
    await bystander.init(kim.token);
    bystander.send(subscribe('1', MINE));

    const oldProtocol = await connect(system, 'graphql-ws');
    await oldProtocol.isClosed(4406);
    const noProtocol = await connect(system, []);
    await noProtocol.isClosed(4406);
    const uninitialised = await connect(system);
    uninitialised.send(subscribe('1', MINE));
    await uninitialised.isClosed(4401);
    for (const garbage of ['{', '"text"', '{"type":"dance"}', '{"type":"subscribe","id":7}']) {
      const confused = await connect(system);
      confused.send(garbage);
      await confused.isClosed(4400);
    }
    const large = await connect(system);
    large.send(subscribe('1', `# ${'x'.repeat(200_000)}\n${MINE}`));
    await large.isClosed(1009);
    const twice = await connect(system);
    await twice.init(kim.token);
    twice.send({ type: 'connection_init' });
    await twice.isClosed(4429);
    const same = await connect(system);
    await same.init(kim.token);
    same.send(subscribe('1', MINE));
    same.send(subscribe('1', MINE));
    await same.isClosed(4409);
    const idle = await connect(system);
    await idle.isClosed(4408);

    const elsewhere = new WebSocket(`${system.address.replace(/^http/, 'ws')}/elsewhere`);
    const [error] = await once(elsewhere, 'error');
    expect(String(error)).toContain('404');
    expect(bystander.closed).toEqual({});
    expect(bystander.of('1')).toEqual([]);
  });

  test('a wrong operation fails with the same code in every protocol', async () => {
    const kim = await newCustomer(system);
    const wrong: [string, string][] = [
      ['subscription {', 'GRAPHQL_PARSE_FAILED'],
      ['subscription { nothing { version } }', 'GRAPHQL_VALIDATION_FAILED'],
      [
        `subscription { myBookingStatuses { version } other: myBookingStatuses { version } }`,
        'GRAPHQL_VALIDATION_FAILED',
      ],
      [
        `subscription ($no: Boolean!) { myBookingStatuses @skip(if: $no) { version } }`,
        'GRAPHQL_VALIDATION_FAILED',
      ],
      [`subscription { __typename }`, 'GRAPHQL_VALIDATION_FAILED'],
      [
        `subscription A { ...F } fragment F on Subscription { myBookingStatuses @include(if: true) { version } }`,
        'GRAPHQL_VALIDATION_FAILED',
      ],
      [
        `subscription A ${MINE.slice(12)} subscription B ${MINE.slice(12)}`,
        'OPERATION_RESOLUTION_FAILURE',
      ],
      [STATUS, 'BAD_USER_INPUT'],
    ];
    const socket = await connect(system);
    await socket.init(kim.token);
    for (const [index, [query, code]] of wrong.entries()) {
      socket.send(subscribe(String(index), query));
      await until(`${code} for ${query}`, async () => socket.of(String(index)).length > 0);
      const [message] = socket.of(String(index));
      expect(message).toMatchObject({ type: 'error', payload: [{ extensions: { code } }] });
      for (const accept of [SSE, MULTIPART]) {
        const response = await stream(system, kim.token, accept, { query });
        expect(await response.text()).toContain(`"code":"${code}"`);
      }
    }
    expect(socket.closed).toEqual({});
    for (const body of ['{}', '[]', '{"query":1}', '{"query":"{__typename}","variables":[]}']) {
      const response = await stream(system, kim.token, SSE, body);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain('BAD_USER_INPUT');
    }
  });

  test('queries and mutations are executed over WebSocket and Server-Sent Events, too', async () => {
    const kim = await newCustomer(system);
    const query = '{ myPage { bookings { edges { cursor } } } }';
    const socket = await connect(system);
    await socket.init(kim.token);
    socket.send(subscribe('q', query));
    await until('complete', async () => socket.of('q').at(-1)?.type === 'complete');
    const data = { myPage: { bookings: { edges: [] } } };
    expect(socket.of('q')[0]).toEqual({ id: 'q', type: 'next', payload: { data } });
    const events = await stream(system, kim.token, SSE, { query });
    expect(await events.text()).toContain(
      `event: next\ndata: ${JSON.stringify({ data })}\n\nevent: complete\ndata:\n\n`,
    );
    // A query over multipart gets an ordinary response.
    const response = await stream(system, kim.token, MULTIPART, { query });
    expect(await response.json()).toEqual({ data });
  });

  test('a subscription needs a valid token and ends when the token expires', async () => {
    const kim = await newCustomer(system);
    const forged = await connect(system);
    forged.send({ type: 'connection_init', payload: { authorization: 'Bearer forged' } });
    await forged.isClosed(4403);
    expect(forged.closed.reason).toBe('The token is not valid.');
    const refused = await stream(system, 'forged', SSE, { query: MINE });
    expect([refused.status, await refused.json()]).toEqual([
      401,
      {
        errors: [
          {
            message: 'The token is not valid.',
            extensions: { code: 'UNAUTHENTICATED', correlationId: expect.any(String) },
          },
        ],
      },
    ]);

    const shortLived = await system.tokenFor('2s', kim.name, 'customer');
    const socket = await connect(system);
    await socket.init(shortLived);
    socket.send(subscribe('1', MINE));
    const streams = await Promise.all(
      [SSE, MULTIPART].map((accept) => stream(system, shortLived, accept, { query: MINE })),
    );
    await socket.isClosed(4403);
    expect(socket.closed.reason).toContain('expired');
    for (const response of streams) expect(await response.text()).toContain('UNAUTHENTICATED');
  });

  test('one principal cannot open more than the maximum number of subscriptions', async () => {
    const kim = await newCustomer(system);
    const socket = await connect(system);
    await socket.init(kim.token);
    const count = 1_500;
    for (let n = 0; n < count; n += 1) socket.send(subscribe(String(n), MINE));
    await until(
      'all above the limit are refused',
      async () => socket.messages.length >= count - 99,
    );
    expect(socket.messages.slice(1)).toHaveLength(count - 100);
    expect(socket.messages.at(-1)).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }],
    });
    // Accepted subscriptions receive events, and free their places when they end.
    const space = await listSpace(system);
    await kim.request(space.id);
    await until(
      'both ends of the accepted subscriptions receive the event',
      async () => socket.of('0').length > 0 && socket.of('99').length > 0,
    );
    socket.send({ id: '5', type: 'complete' });
    await until('a place is free again', async () => {
      const id = `again-${socket.messages.length}`;
      socket.send(subscribe(id, MINE));
      // The subscription is refused at once, or receives the next event.
      await kim.request(space.id);
      await until('there is a message', async () => socket.of(id).length > 0);
      return socket.of(id)[0]?.type === 'next';
    });
  });

  test('a stream begins at once and sends heartbeats', async () => {
    const kim = await newCustomer(system);
    const beats = await Promise.all(
      [SSE, MULTIPART].map(async (accept) => {
        const response = await stream(system, kim.token, accept, { query: MINE });
        const reader = (response.body as ReadableStream<Uint8Array>).getReader();
        const first = await reader.read();
        expect(first.done).toBe(false);
        const next = await reader.read();
        await reader.cancel();
        return Buffer.from(next.value ?? []).toString();
      }),
    );
    expect(beats[0]).toBe(':\n\n');
    expect(beats[1]).toBe('\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql');
    // The status line is sent at once, so it cannot depend on the result.
    const unknown = { query: STATUS, variables: { id: UNKNOWN } };
    const response = await stream(system, kim.token, SSE, unknown);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('NOT_FOUND');
  });

  test('Apollo Sandbox receives the address and the protocol of subscriptions', async () => {
    const page = await fetch(system.graphqlUrl, { headers: { accept: 'text/html' } });
    expect(page.headers.get('content-type')).toContain('text/html');
    const [script = ''] = /const here[\s\S]*?(?=<\/script>)/.exec(await page.text()) ?? [];
    const options: Record<string, unknown>[] = [];
    const window = {
      EmbeddedSandbox: class {
        constructor(received: object) {
          options.push({ ...received });
        }
      },
    };
    // Runs the script of the page as a browser would.
    new Function('window', 'location', script)(window, new URL(system.graphqlUrl));
    expect(options).toMatchObject([
      {
        initialEndpoint: system.graphqlUrl,
        initialSubscriptionEndpoint: system.graphqlUrl.replace(/^http/, 'ws'),
      },
    ]);
  });

  test('a router that stops closes its subscriptions with a request to reconnect', async () => {
    const kim = await newCustomer(system);
    const socket = await connect(system);
    await socket.init(kim.token);
    socket.send(subscribe('1', MINE));
    const events = await stream(system, kim.token, SSE, { query: MINE });
    const received = events.text();
    const pid = system.instance().services.router?.pid;
    process.kill(Number(pid), 'SIGTERM');
    await socket.isClosed(1012);
    expect(socket.closed.reason).toContain('again');
    expect(await received).not.toContain('complete');
    await until(
      'the router is back',
      async () =>
        system.instance().services.router?.pid !== pid &&
        (await fetch(`${system.address}/health/ready`).catch(() => null))?.ok,
      60,
    );
  }, 90_000);
});
