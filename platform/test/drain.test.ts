import { randomBytes } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { WebSocket } from 'ws';
import { createDatabase, migrate, type TestDatabase } from '../../tests/support/database.ts';
import { signEmbeddedToken } from '../../tests/support/identity-provider.mjs';
import { temporaryFolder } from '../../tests/support/servers.mjs';
import {
  internalKeys,
  type ServiceProcess,
  startServiceProcess,
} from '../../tests/support/service-process.ts';
import { eventually, until } from '../../tests/support/system.ts';
import { internalRequestSigner } from '../auth/internal-requests.ts';

const SPACES = JSON.stringify({ query: '{ spaces(first: 1) { edges { node { id } } } }' });
const SECRET = randomBytes(32).toString('base64url');
const SOCKETS = 2_000;

let spaces: TestDatabase;
let queue: TestDatabase;
const running: ServiceProcess[] = [];

beforeAll(async () => {
  [spaces, queue] = await Promise.all([createDatabase('space'), createDatabase()]);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.end()));
});

afterAll(async () => {
  await Promise.all([spaces?.drop(), queue?.drop()]);
}, 90_000);

async function start(service: 'router' | 'space' | 'mypage', env: Record<string, string>) {
  const started = await startServiceProcess(service, { QUEUE_DATABASE_URL: queue.url, ...env });
  running.push(started);
  return started;
}

const startSpace = (drainSeconds: number) =>
  start('space', { SPACE_DATABASE_URL: spaces.url, DRAIN_SECONDS: String(drainSeconds) });

const startRouter = (env: Record<string, string>) =>
  start('router', {
    SPACERENT_PROFILE: 'embedded',
    AUTH_SECRET: SECRET,
    WEBSOCKETS_PER_ADDRESS: '5000',
    ...env,
  });

/** The headers that both clients with kept connections send to a subgraph. */
async function headersFor(service: 'space'): Promise<Record<string, string>> {
  const authorization = await internalRequestSigner('router', [internalKeys])(service);
  return { 'content-type': 'application/json', authorization };
}

interface Response {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A client of Node's own that keeps its connection. */
function nodeClient() {
  const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 });
  const post = (url: string, headers: Record<string, string>) =>
    new Promise<Response>((resolve, reject) => {
      const sent = httpRequest(`${url}/graphql`, { method: 'POST', agent, headers }, (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      });
      sent.on('error', reject);
      sent.end(SPACES);
    });
  return { post, close: async () => agent.destroy() };
}

/** A client of undici that keeps its connection. */
function undiciClient() {
  const dispatcher = new Agent({ connections: 1 });
  return {
    async post(url: string, headers: Record<string, string>): Promise<Response> {
      const response = await request(`${url}/graphql`, {
        method: 'POST',
        dispatcher,
        headers,
        body: SPACES,
      });
      const body = await response.body.text();
      return { status: response.statusCode, headers: response.headers, body };
    },
    close: () => dispatcher.destroy(),
  };
}

describe('a service that receives SIGTERM', () => {
  test('a stopping service is not ready, continues to serve, and closes each connection with its response', async () => {
    const space = await startSpace(300);
    const headers = await headersFor('space');
    const clients = [nodeClient(), undiciClient()];
    for (const client of clients) {
      const { status, headers: received } = await client.post(space.url, headers);
      expect({ status, connection: received.connection }).toEqual({
        status: 200,
        connection: 'keep-alive',
      });
    }
    space.child.kill('SIGTERM');
    await until('not ready', async () => (await space.readiness()) === 503);
    for (const client of clients) {
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const { status, headers: received } = await client.post(space.url, headers);
        expect({ status, connection: received.connection }).toEqual({
          status: 200,
          connection: 'close',
        });
      }
    }
    space.child.kill('SIGTERM');
    expect(await space.exited).toBe(0);
    await Promise.all(clients.map((client) => client.close()));
  });

  test('a stopping service finishes its running requests and does not wait for idle connections', async () => {
    const space = await startSpace(0);
    const headers = await headersFor('space');
    const idle = nodeClient();
    await idle.post(space.url, headers);
    const busy = undiciClient();
    let response: Promise<Response> | undefined;
    await spaces.whileLocked('LOCK TABLE space IN ACCESS EXCLUSIVE MODE', async () => {
      response = busy.post(space.url, headers);
      await blocked(1);
      space.child.kill('SIGTERM');
      await until('the port is closed', async () => (await space.readiness()) === 0);
    });
    expect(await response).toMatchObject({ status: 200, headers: { connection: 'close' } });
    expect(await space.exited).toBe(0);
    expect(space.log()).not.toContain('cut off');
    await Promise.all([idle.close(), busy.close()]);
  });

  test('a stopping service cuts off requests that exceed the timeout, logs that, and exits with status 0', async () => {
    const space = await startSpace(0);
    const headers = await headersFor('space');
    const client = undiciClient();
    await spaces.whileLocked('LOCK TABLE space IN ACCESS EXCLUSIVE MODE', async () => {
      const response = client.post(space.url, headers).catch((error: Error) => error);
      await blocked(1);
      space.child.kill('SIGTERM');
      expect(await response).toBeInstanceOf(Error);
      await until('the log names the cut', async () =>
        space.log().includes('requests that did not end in time are cut off'),
      );
    });
    expect(await space.exited).toBe(0);
    await client.close();
  }, 60_000);
});

/** Resolves when at least `count` statements wait for a lock. */
async function blocked(count: number): Promise<void> {
  await until('blocked', async () => {
    const [row] = await spaces.query<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return (row?.waiting ?? 0) >= count;
  });
}

test('a stopping router closes 2,000 sockets and ends its streams, and exits with status 0', async () => {
  const home = temporaryFolder('drain');
  const views = pathToFileURL(`${home}/views.sqlite`).href;
  await migrate(views, 'prisma/mypage/migrations/sqlite');
  const mypage = await start('mypage', { MYPAGE_DATABASE_URL: views, DRAIN_SECONDS: '0' });
  const space = await startSpace(0);
  const router = await startRouter({
    SPACE_URL: space.url,
    MYPAGE_URL: mypage.url,
    DRAIN_SECONDS: '1',
  });
  const token = await signEmbeddedToken(SECRET, 'kim', ['customer'], '1h');
  const closes: number[] = [];
  for (let open = 0; open < SOCKETS; open += 100) {
    await Promise.all(Array.from({ length: 100 }, () => openSocket(router.url, token, closes)));
  }
  const streams = await Promise.all(
    Array.from({ length: 20 }, () => openStream(router.url, token)),
  );

  const client = undiciClient();
  let response: Promise<Response> | undefined;
  await spaces.whileLocked('LOCK TABLE space IN ACCESS EXCLUSIVE MODE', async () => {
    response = client.post(router.url, { 'content-type': 'application/json' });
    await blocked(1);
    router.child.kill('SIGTERM');
    await until('not ready', async () => (await router.readiness()) === 503);
    expect(closes).toHaveLength(0);
    await until('sockets leave while a request is under way', async () => closes.length > 0);
  });
  expect(await response).toMatchObject({ status: 200 });
  expect(await router.exited).toBe(0);
  await eventually(async () => expect(closes).toHaveLength(SOCKETS));
  expect(new Set(closes)).toEqual(new Set([1012]));
  for (const [ended] of streams) expect(await ended).toBe('ended');
  expect(router.log()).not.toMatch(/cut off|took too long/);
  await client.close();
}, 120_000);

/** Resolves once the connection is acknowledged; its close code goes to `closes`. */
function openSocket(url: string, token: string, closes: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    socket.on('error', reject);
    socket.once('open', () => {
      const payload = { authorization: `Bearer ${token}` };
      socket.send(JSON.stringify({ type: 'connection_init', payload }));
    });
    socket.once('message', () => resolve());
    socket.once('close', (code) => closes.push(code));
  });
}

/** Opens a stream of Server-Sent Events, and resolves with a promise of its end. */
async function openStream(url: string, token: string): Promise<Promise<'ended' | 'broken'>[]> {
  const { statusCode, body } = await request(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ query: 'subscription { myBookingStatuses { status } }' }),
  });
  expect(statusCode).toBe(200);
  // In a list: a promise of a promise would be waited for.
  return [
    body.dump({ limit: 1 << 20 }).then(
      () => 'ended' as const,
      () => 'broken' as const,
    ),
  ];
}
