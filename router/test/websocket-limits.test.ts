import { connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { v7 as uuidv7 } from 'uuid';
import { WebSocket } from 'ws';
import { until } from '../../tests/support/system.ts';
import { openLiveRouter } from './live-fixture.ts';
import { openPublicServer } from './public-server-fixture.ts';

const PROTOCOL = 'graphql-transport-ws';
const MINE = 'subscription { myBookingStatuses { version } }';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** An open WebSocket, or the HTTP status and headers of the refusal. */
async function open(url: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url, PROTOCOL, { headers });
  closing.push(async () => socket.terminate());
  socket.on('error', () => {});
  const refused = await new Promise<{ status?: number; retryAfter?: string | undefined }>(
    (resolve, reject) => {
      socket.once('open', () => resolve({}));
      socket.once('unexpected-response', (_request, { statusCode = 0, headers }) => {
        resolve({ status: statusCode, retryAfter: headers['retry-after'] });
      });
      socket.once('close', reject);
    },
  );
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  return { socket, closed, ...refused };
}

async function openRouter(times: { anonymousMs: number; signedInMs: number }) {
  const router = await openLiveRouter(undefined, { perAddress: 100, perProcess: 100, ...times });
  closing.push(router.close);
  return router;
}

test('WebSockets of one address are refused with 429 above the limit, until one is closed', async () => {
  const server = await openPublicServer({
    WEBSOCKETS_PER_ADDRESS: '2',
    TRUSTED_PROXIES: '127.0.0.1',
  });
  closing.push(server.close);
  const url = `ws://127.0.0.1:${server.port}/graphql`;
  const [first] = [await open(url), await open(url)];
  expect(await open(url)).toMatchObject({ status: 429, retryAfter: '10' });
  expect((await open(url, { 'x-forwarded-for': '198.51.100.1' })).status).toBeUndefined();
  first.socket.close();
  await until('a WebSocket is accepted again', async () => (await open(url)).status === undefined);
});

test('WebSockets are refused with 503 above the limit of the process', async () => {
  const server = await openPublicServer({
    WEBSOCKETS_PER_PROCESS: '2',
    TRUSTED_PROXIES: '127.0.0.1',
  });
  closing.push(server.close);
  const url = `ws://127.0.0.1:${server.port}/graphql`;
  for (const address of ['198.51.100.1', '198.51.100.2']) {
    expect((await open(url, { 'x-forwarded-for': address })).status).toBeUndefined();
  }
  const third = await open(url, { 'x-forwarded-for': '198.51.100.3' });
  expect(third).toMatchObject({ status: 503, retryAfter: '10' });
});

test('an anonymous WebSocket without an operation is closed with code 1000', async () => {
  const { url } = await openRouter({ anonymousMs: 300, signedInMs: 60_000 });
  const silent = await open(url);
  const anonymous = await open(url);
  anonymous.socket.send('{"type":"connection_init"}');
  const querying = await open(url);
  querying.socket.send('{"type":"connection_init"}');
  querying.socket.once('message', () =>
    querying.socket.send('{"id":"1","type":"subscribe","payload":{"query":"{ __typename }"}}'),
  );
  const refused = await open(url);
  refused.socket.send('{"type":"connection_init"}');
  refused.socket.once('message', () =>
    refused.socket.send(`{"id":"1","type":"subscribe","payload":{"query":"${MINE}"}}`),
  );
  for (const { closed } of [silent, anonymous, querying, refused]) {
    expect(await closed).toEqual({
      code: 1000,
      reason: 'Nothing is subscribed to: connect when you need it.',
    });
  }
});

test('a WebSocket of a signed-in user stays open for longer, and as long as a subscription is open', async () => {
  const router = await openRouter({ anonymousMs: 100, signedInMs: 600 });
  const id = uuidv7();
  router.mypage.change(id);
  let wasClosed = false;
  const client = createClient({
    url: router.url,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: 'kim' },
    retryAttempts: 0,
    // Longer than the server waits; the client's timer outlives the client.
    lazyCloseTimeout: 15_000,
    on: {
      closed: () => {
        wasClosed = true;
      },
    },
  });
  closing.push(async () => client.dispose());
  const versions: number[] = [];
  const stop = client.subscribe<{ myBookingStatuses: { version: number } }>(
    { query: MINE },
    {
      next: ({ data }) => void versions.push(Number(data?.myBookingStatuses.version)),
      error: () => {},
      complete: () => {},
    },
  );
  // The idle anonymous shows that more than the signed-in user's time has passed.
  for (let n = 0; n < 8; n += 1) await (await open(router.url)).closed;
  expect(wasClosed).toBe(false);
  router.mypage.change(id);
  await until('a change arrives', async () => versions.length > 0);
  stop();
  await until('it is closed when nothing is subscribed to', async () => wasClosed);
});

test('TCP connections above the limit of the process are closed at once', async () => {
  const server = await openPublicServer({ CONNECTIONS_PER_PROCESS: '2' });
  closing.push(server.close);
  const raw = () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    closing.push(async () => socket.destroy());
    return socket;
  };
  const open = [raw(), raw()];
  await Promise.all(open.map((each) => new Promise((resolve) => each.once('connect', resolve))));
  await new Promise((resolve) => raw().once('close', resolve));
  expect(open.map(({ destroyed }) => destroyed)).toEqual([false, false]);
});
