import { createBullBoard } from '@bull-board/api';
import type { AppControllerRoute, IServerAdapter } from '@bull-board/api/typings/app';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventRecord } from '#platform/messaging/events.ts';
import { newEvent } from '../../platform/test/queue-harness.ts';
import { eventually, until } from '../../tests/support/system.ts';
import { queueNames } from '../src/console/queue-reader.ts';
import {
  type EmptyQueueServer,
  emptyPostgres,
  emptyRedis,
  openConsole,
  type RunningConsole,
} from './console-fixture.ts';

const QUEUE = 'booking.mypage';

describeConsole('PostgreSQL', emptyPostgres);
if (process.env.TEST_REDIS_URL) describeConsole('Redis', emptyRedis);

function describeConsole(name: string, prepare: () => Promise<EmptyQueueServer>): void {
  describe(`the queue console on ${name}`, () => {
    let server: EmptyQueueServer;
    let console: RunningConsole;

    beforeAll(async () => {
      server = await prepare();
      console = await openConsole(server);
    });

    afterAll(async () => {
      await console?.close();
      await server?.drop();
    });

    const fixture = { server: () => server, console: () => console };
    testReading(fixture);
    testOperators(fixture);
    testOutage(fixture);
  });
}

interface Fixture {
  server(): EmptyQueueServer;
  console(): RunningConsole;
}

/** Sends each event as a job of its own. */
async function send({ transport }: RunningConsole, queue: string, events: EventRecord[]) {
  for (const event of events) await transport.send([{ queue, event, attempt: 1 }]);
}

const findQueue = (body: { queues: { name: string }[] }, name: string) =>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  body.queues.find((queue) => queue.name === name) as any;

function testReading({ server, console }: Fixture): void {
  test('an operator sees every queue of the topology, and reading stores nothing', async () => {
    await until(
      'the server is reached',
      async () => (await console().get('/api/queues')).status < 500,
    );
    const { status, body } = await console().get('/api/queues');
    expect(status).toBe(200);
    expect(body.queues.map((queue: { name: string }) => queue.name).sort()).toEqual(queueNames());
    expect(queueNames()).toContain(QUEUE);
    expect((await console().get('/api/redis/stats')).status).toBe(200);
    expect(await server().countStored()).toBe(0);
  });

  test('an operator sees how many jobs wait, and their events', async () => {
    const events = Array.from({ length: 12 }, newEvent);
    await send(console(), QUEUE, events);
    const { body } = await console().get(`/api/queues?activeQueue=${QUEUE}&status=waiting`);
    const { counts, jobs, pagination } = findQueue(body, QUEUE);
    expect(counts).toMatchObject({ waiting: 12, active: 0, failed: 0 });
    expect(pagination).toMatchObject({ pageCount: 2 });
    expect(jobs).toHaveLength(10);
    expect(jobs[0].name).toBe('Tested');
    const ids = events.map(({ id }) => id);
    expect(ids).toContain(jobs[0].data[0].id);
    expect(jobs[0].data[0]).toMatchObject({ type: 'Tested', payload: { any: 'thing' } });
    expect(findQueue(body, 'payment.book').counts.waiting).toBe(0);

    const job = await console().get(`/api/queues/${QUEUE}/${jobs[0].id}`);
    expect(job).toMatchObject({
      status: 200,
      body: { status: 'waiting', job: { id: jobs[0].id } },
    });
  });

  test('a page of jobs has a maximum size', async () => {
    const { status } = await console().get(`/api/queues?activeQueue=${QUEUE}&jobsPerPage=100000`);
    expect(status).toBe(400);
  });

  test('a failure is shown without stack, statement and credential', async () => {
    const queue = 'payment.book';
    let attempts = 0;
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    await console().transport.receive(queue, 1, async () => {
      attempts += 1;
      if (attempts > 1) return finished;
      throw new Error('no route to postgresql://book:hidden@10.0.0.1/book');
    });
    await send(console(), queue, [newEvent()]);
    await eventually(async () => {
      const { body } = await console().get(`/api/queues?activeQueue=${queue}&status=active`);
      const [job] = findQueue(body, queue).jobs;
      expect(job).toMatchObject({ attempts: 1, stacktrace: [] });
      expect(job.failedReason).toBe('no route to postgresql://10.0.0.1/book');
    }).finally(finish);
    await console().transport.stopReceiving();
  });

  test('nothing that changes a queue is served, also not to an operator', async () => {
    const writes = boardRoutes().filter(({ method }) => method !== 'get');
    expect(writes.length).toBeGreaterThan(15);
    const { body } = await console().get(`/api/queues?activeQueue=${QUEUE}&status=waiting`);
    const { counts, jobs } = findQueue(body, QUEUE);
    const authorization = `Bearer ${await console().token('olivia', 'operator')}`;
    for (const { method, route } of writes) {
      const path = String(route)
        .replace(':queueName', QUEUE)
        .replace(':jobId', jobs[0].id)
        .replace(':queueStatus', 'waiting')
        .replace(':schedulerId', 'any');
      const response = await fetch(console().address + path, {
        method: String(method).toUpperCase(),
        headers: { authorization, 'content-type': 'application/json' },
        body: '{}',
      });
      expect([path, response.status]).toEqual([path, 404]);
    }
    const after = findQueue((await console().get('/api/queues')).body, QUEUE);
    expect(after).toMatchObject({ counts, isPaused: false, readOnlyMode: true });
  });
}

/** The routes of bull-board itself. */
function boardRoutes(): AppControllerRoute[] {
  let found: AppControllerRoute[] = [];
  const adapter = new Proxy({} as IServerAdapter, {
    get: (_target, name) => (routes: AppControllerRoute[]) => {
      if (name === 'setApiRoutes') found = routes;
      return adapter;
    },
  });
  createBullBoard({ queues: [], serverAdapter: adapter });
  return found;
}

function testOperators({ console }: Fixture): void {
  const paths = ['/', '/queue/booking.mypage', '/api/queues', '/static/js/any.js'];

  test.each(paths)('%s is for operators alone', async (path) => {
    const send = async (authorization?: string) => {
      const headers = new Headers(authorization ? { authorization } : undefined);
      return (await fetch(console().address + path, { headers })).status;
    };
    expect(await send()).toBe(401);
    expect(await send('Bearer nonsense')).toBe(401);
    expect(await send(`Bearer ${await console().token('kim', 'customer')}`)).toBe(403);
    expect(await send(`Bearer ${await console().token('hana', 'host')}`)).toBe(403);
    const asOperator = await send(`Bearer ${await console().token('olivia', 'operator')}`);
    expect(asOperator).toBe(path.endsWith('any.js') ? 404 : 200);
  });

  const signIn = (token: string, headers: Record<string, string> = {}) =>
    fetch(`${console().address}/session`, {
      method: 'POST',
      headers: { accept: 'text/html', origin: console().address, ...headers },
      body: new URLSearchParams({ token }),
      redirect: 'manual',
    });

  test('an operator signs in with a token, and out again', async () => {
    const response = await signIn(` Bearer ${await console().token('olivia', 'operator')}\n`);
    expect(response.status).toBe(303);
    const cookie = String(response.headers.get('set-cookie'));
    expect(cookie).toMatch(
      /^spacerent-queues=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const headers = { cookie: `other=1; ${cookie.split(';')[0]}` };
    const read = async () => (await fetch(`${console().address}/api/queues`, { headers })).status;
    expect(await read()).toBe(200);
    const out = await fetch(`${console().address}/sign-out`, { headers, redirect: 'manual' });
    expect(out.headers.get('set-cookie')).toContain('Max-Age=0');
    expect(await read()).toBe(401);
  });

  test('a cookie that was set over https is sent over https alone', async () => {
    const origin = console().address.replace('http:', 'https:');
    const response = await signIn(await console().token('olivia', 'operator'), { origin });
    expect(response.headers.get('set-cookie')).toMatch(/; Secure$/);
  });

  test('a customer cannot sign in, and reads why', async () => {
    const response = await signIn(await console().token('kim', 'customer', 'host'));
    expect(response.status).toBe(403);
    expect(response.headers.has('set-cookie')).toBe(false);
    expect(await response.text()).toContain('This needs the role &quot;operator&quot;.');
  });

  test.each([['https://evil.example'], ['null'], [undefined]])(
    'a page of the origin %s cannot sign a browser in',
    async (origin) => {
      const token = await console().token('olivia', 'operator');
      const response = await fetch(`${console().address}/session`, {
        method: 'POST',
        headers: origin ? { origin } : {},
        body: new URLSearchParams({ token }),
      });
      expect(response.status).toBe(403);
      expect(response.headers.has('set-cookie')).toBe(false);
    },
  );

  test('no page can be framed, and each loads from the console alone', async () => {
    const authorization = `Bearer ${await console().token('olivia', 'operator')}`;
    for (const headers of [new Headers({ accept: 'text/html' }), new Headers({ authorization })]) {
      const response = await fetch(console().address, { headers });
      expect(response.headers.get('x-frame-options')).toBe('DENY');
      const policy = String(response.headers.get('content-security-policy')).split(';');
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      const sources = policy.flatMap((directive) => directive.split(' ').slice(1));
      const allowed = ["'none'", "'self'", "'unsafe-inline'", 'data:'];
      expect(sources.filter((source) => !allowed.includes(source))).toEqual([]);
      expect(policy).toContain("script-src 'self'");
      expect(await response.text()).not.toMatch(/(src|href|action)="?(https?:)?\/\//);
    }
  });

  test("every file that the page names is served, and no style names another server's", async () => {
    const authorization = `Bearer ${await console().token('olivia', 'operator')}`;
    const read = (path: string) =>
      fetch(new URL(path, console().address), { headers: { authorization } });
    const page = await (await read('/')).text();
    const files = [...page.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map(([, file]) => file);
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) {
      const response = await read(String(file));
      expect([file, response.status]).toEqual([file, 200]);
      const text = await response.text();
      if (file?.endsWith('.css')) expect(text).not.toMatch(/(url\(|@import)\s*["']?(https?:)?\/\//);
    }
    expect((await read('/static/locales/en-US/messages.json')).status).toBe(200);
    expect((await read('/static/..%2f..%2fpackage.json')).status).toBe(404);
  });

  test('the log says who has read what', async () => {
    await console().get(`/api/queues/${QUEUE}/workers?token=1`);
    await until('logged', () =>
      console().lines.find(
        ({ user, method, path, statusCode, correlationId }) =>
          user === 'olivia' &&
          method === 'GET' &&
          path === `/api/queues/${QUEUE}/workers` &&
          statusCode === 200 &&
          correlationId !== 'undefined',
      ),
    );
    expect(JSON.stringify(console().lines)).not.toContain('eyJ');
  });
}

function testOutage({ server, console }: Fixture): void {
  test("the console says that the queue's server is away, and shows the queues when it is back", async () => {
    console().proxy.refuse();
    await eventually(async () => {
      const { status, body } = await console().get('/api/queues');
      expect(status).toBe(503);
      expect(body.error).toContain(`The queue's server (${server().name}) does not respond.`);
    });
    const authorization = `Bearer ${await console().token('olivia', 'operator')}`;
    const headers = { authorization, accept: 'text/html' };
    const page = await fetch(console().address, { headers });
    expect(page.status).toBe(503);
    expect(await page.text()).toMatch(/<p role="alert">The queue's server .* does not respond\./);
    expect((await fetch(`${console().address}/health/ready`)).status).toBe(200);
    console().proxy.heal();
    await eventually(async () => {
      expect((await console().get('/api/queues')).status).toBe(200);
    }, 60);
  });
}
