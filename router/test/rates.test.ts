import { afterEach, describe, expect, test } from '@jest/globals';
import { createClient as createLiveClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { createMetrics } from '#platform/observability/metrics.ts';
import { silent } from '../../tests/support/database.ts';
import { startRedis } from '../../tests/support/servers.mjs';
import { until } from '../../tests/support/system.ts';
import { budgetCounter } from '../src/admission/counters.ts';
import { type Caller, callerRates } from '../src/admission/rates.ts';
import { RequestErrors } from '../src/admission/refusals.ts';
import { openEdge, type RunningEdge } from './public-server-fixture.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const caller = (userId: string | null, address = '203.0.113.1'): Caller => ({
  viewer: userId === null ? null : { userId, roles: ['customer'] },
  address,
});

function openRates(settings: {
  mutations?: [perUser: number, perAddress: number];
  queryCost?: [perUser: number, perAddress: number];
  redisUrl?: string | undefined;
}) {
  const [mutationsPerUser, mutationsPerAddress] = settings.mutations ?? [0, 0];
  const [queryCostPerUser, queryCostPerAddress] = settings.queryCost ?? [0, 0];
  const rates = callerRates({
    mutationsPerUser,
    mutationsPerAddress,
    queryCostPerUser,
    queryCostPerAddress,
    redisUrl: settings.redisUrl,
    metrics: createMetrics('router'),
    logger: silent,
  });
  closing.push(rates.close);
  return rates;
}

/** What a refusal says; null: there was none. */
async function refusalOf(work: () => unknown) {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof RequestErrors)) throw error;
    return error.errors[0]?.extensions ?? null;
  }
}

function open(perUser: number, perAddress: number, redisUrl?: string) {
  const rates = openRates({ mutations: [perUser, perAddress], redisUrl });
  return (mutations: number, who: Caller) => refusalOf(() => rates.mutate(mutations, who));
}

function openBudgets(perUser: number, perAddress: number, redisUrl?: string) {
  const rates = openRates({ queryCost: [perUser, perAddress], redisUrl });
  return (cost: number, who: Caller) => refusalOf(() => rates.read(cost, who));
}

/** There are servers on the machine. */
const testWithRedis = process.env.TEST_REDIS_URL ? test : test.skip;

async function openRedis() {
  const redis = await startRedis('test');
  const url = `redis://:test@127.0.0.1:${redis.port}`;
  return { ...redis, url };
}

describe('mutations', () => {
  test('are counted for each user and each address', async () => {
    const take = open(3, 5);
    expect(await take(3, caller('kim'))).toBeNull();
    expect(await take(1, caller('kim'))).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await take(1, caller('lee'))).toBeNull();
    // The refused one counts as well: the address has had five.
    expect(await take(1, caller('park'))).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await take(1, caller('park', '203.0.113.2'))).toBeNull();
  });

  test('of nobody in particular are counted for their address', async () => {
    const take = open(1, 2);
    expect(await take(2, caller(null))).toBeNull();
    expect(await take(1, caller(null))).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterSeconds: 60,
      http: { status: 429, headers: { 'retry-after': '60' } },
    });
  });

  test('are not counted where the limit is 0', async () => {
    const take = open(0, 0);
    for (let n = 0; n < 100; n += 1) expect(await take(10, caller('kim'))).toBeNull();
  });

  testWithRedis('are counted by all routers together on Redis', async () => {
    const redis = await openRedis();
    closing.push(redis.stop);
    const [one, other] = [open(4, 0, redis.url), open(4, 0, redis.url)];
    // Until each is connected, it counts for itself.
    await until('both count together', async () => {
      const user = `user${Math.random()}`;
      await one(4, caller(user));
      return other(1, caller(user));
    });
    expect(await one(2, caller('kim'))).toBeNull();
    expect(await other(2, caller('kim'))).toBeNull();
    for (const take of [one, other]) {
      expect(await take(1, caller('kim'))).toMatchObject({ code: 'RATE_LIMITED' });
    }
  });

  testWithRedis('go on, counted by each router, while Redis is not there', async () => {
    const redis = await openRedis();
    const take = open(3, 0, redis.url);
    expect(await take(3, caller('kim'))).toBeNull();
    await redis.stop();
    for (let n = 0; n < 3; n += 1) expect(await take(1, caller('lee'))).toBeNull();
    expect(await take(1, caller('lee'))).toMatchObject({ code: 'RATE_LIMITED' });
  });

  testWithRedis('wait for a Redis that does not answer once, and not long', async () => {
    const redis = await openRedis();
    closing.push(redis.stop);
    const take = open(1_000, 1_000, redis.url);
    const other = open(1_000, 1_000, redis.url);
    await until('it counts', async () => {
      const user = `user${Math.random()}`;
      await other(1_000, caller(user, user));
      return take(1, caller(user, user));
    });
    redis.pause();
    try {
      const began = performance.now();
      for (let n = 0; n < 200; n += 1) expect(await take(1, caller('kim'))).toBeNull();
      // To wait 100 ms for each of them would take 20 s.
      expect(performance.now() - began).toBeLessThan(10_000);
    } finally {
      redis.resume();
    }
  });
});

describe('too many mutations', () => {
  const MUTATION = 'mutation { a: rebuildMyPage { __typename } b: rebuildMyPage { __typename } }';
  let edge: RunningEdge;

  async function openLimited() {
    edge = await openEdge({
      MUTATIONS_PER_MINUTE_PER_USER: '4',
      MUTATIONS_PER_MINUTE_PER_ADDRESS: '6',
      TRUSTED_PROXIES: '127.0.0.1',
    });
    closing.push(() => edge.close());
  }
  const kim = { authorization: 'Bearer kim' };

  test('are refused over HTTP with 429, and with when to come back', async () => {
    await openLimited();
    for (let n = 0; n < 2; n += 1)
      expect((await edge.post({ query: MUTATION }, kim)).status).toBe(200);
    const { status, headers, json } = await edge.post({ query: MUTATION }, kim);
    expect([status, headers['retry-after']]).toEqual([429, '60']);
    expect(json.errors[0]).toMatchObject({
      message: 'Too many mutations: 4 a minute are allowed. Try again in 60 s.',
      extensions: { code: 'RATE_LIMITED', retryAfterSeconds: 60 },
    });
    expect((await edge.post({ query: '{ __typename }' }, kim)).status).toBe(200);
    const elsewhere = { authorization: 'Bearer lee', 'x-forwarded-for': '198.51.100.1' };
    expect((await edge.post({ query: MUTATION }, elsewhere)).status).toBe(200);
    expect(edge.asked).not.toEqual([]);
  });

  test('are refused in streams as well, and count together with others', async () => {
    await openLimited();
    for (let n = 0; n < 2; n += 1) await edge.post({ query: MUTATION }, kim);
    const streamed = await edge.post({ query: MUTATION }, { ...kim, accept: 'text/event-stream' });
    expect([streamed.status, streamed.json.errors[0].extensions.code]).toEqual([
      429,
      'RATE_LIMITED',
    ]);
    const client = createLiveClient({
      url: `ws://127.0.0.1:${edge.port}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: kim,
      retryAttempts: 0,
    });
    const errors = await new Promise((resolve) =>
      client.subscribe(
        { query: MUTATION },
        { next: resolve, complete: () => resolve('complete'), error: resolve },
      ),
    );
    expect(errors).toMatchObject([
      { extensions: { code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) } },
    ]);
    await client.dispose();
  });

  test('are only those that would be executed: what is wrong, or a simple request, costs nothing', async () => {
    await openLimited();
    const simple = { ...kim, 'content-type': 'text/plain' };
    for (let n = 0; n < 10; n += 1) {
      expect((await edge.post({ query: 'mutation { nothing }' }, kim)).status).toBe(400);
      expect((await edge.get({ query: MUTATION }, kim)).status).toBe(405);
      const body = JSON.stringify({ query: MUTATION });
      expect((await edge.send('POST', '/graphql', simple, body)).status).toBe(415);
    }
    expect((await edge.post({ query: MUTATION }, kim)).status).toBe(200);
  });
});

describe('the cost of queries', () => {
  test('is counted for the address of who is not signed in', async () => {
    const read = openBudgets(1_000, 100);
    expect(await read(60, caller(null))).toBeNull();
    expect(await read(60, caller(null))).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterSeconds: expect.any(Number),
      http: { status: 429, headers: { 'retry-after': expect.stringMatching(/^\d+$/) } },
    });
    expect(await read(60, caller(null, '203.0.113.2'))).toBeNull();
  });

  test('is not spent by a query that is refused', async () => {
    const read = openBudgets(0, 100);
    expect(await read(101, caller(null))).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await read(100, caller(null))).toBeNull();
  });

  test('is a signed-in user’s own, whatever others behind the same address spend', async () => {
    const read = openBudgets(100, 10);
    expect(await read(100, caller('kim'))).toBeNull();
    expect(await read(10, caller(null))).toBeNull();
    expect(await read(100, caller('lee'))).toBeNull();
    for (const who of [caller('kim'), caller('kim', '203.0.113.2'), caller(null)]) {
      expect(await read(1, who)).toMatchObject({ code: 'RATE_LIMITED' });
    }
  });

  test('is at least that of a request, so that free ones are counted as well', async () => {
    const read = openBudgets(0, 100);
    for (let n = 0; n < 10; n += 1) expect(await read(0, caller(null))).toBeNull();
    expect(await read(0, caller(null))).toMatchObject({ code: 'RATE_LIMITED' });
  });

  test('is not counted where the budget is 0', async () => {
    const read = openBudgets(0, 0);
    for (let n = 0; n < 100; n += 1) expect(await read(1_000_000, caller('kim'))).toBeNull();
  });

  test('can be spent again when Retry-After has passed, and not before', () => {
    let now = 1_900_000_000_000;
    const budget = budgetCounter('test', 10, undefined, () => now);
    expect(budget.spend('kim', 10)).toBeNull();
    const waitMs = Number(budget.spend('kim', 1)?.waitMs);
    expect(waitMs).toBeLessThanOrEqual(60_000);
    now += waitMs - 1;
    expect(budget.spend('kim', 1)).toMatchObject({ limit: 10, waitMs: 1 });
    now += 1;
    expect(budget.spend('kim', 10)).toBeNull();
  });

  testWithRedis('is added up by all routers on Redis, without a query that waits', async () => {
    const redis = await openRedis();
    closing.push(redis.stop);
    const [one, other] = [openBudgets(1_000, 0, redis.url), openBudgets(1_000, 0, redis.url)];
    expect(await one(900, caller('kim'))).toBeNull();
    await until('the other one knows what was spent', () => other(150, caller('kim')));
    expect(await one(150, caller('kim'))).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await other(1_000, caller('lee'))).toBeNull();
  });

  testWithRedis(
    'is counted by each router while Redis is not there, and added up later',
    async () => {
      const redis = await openRedis();
      const budget = openBudgets(1_000, 0, redis.url);
      await redis.stop();
      expect(await budget(1_000, caller('kim'))).toBeNull();
      expect(await budget(10, caller('kim'))).toMatchObject({ code: 'RATE_LIMITED' });
      expect(await budget(10, caller('lee'))).toBeNull();
    },
  );
});

describe('too costly a minute', () => {
  const QUERY = '{ spaces(first: 50) { edges { cursor } } }';
  const SUBSCRIPTION = 'subscription { myBookingStatuses { version } }';

  async function spent(headers: Record<string, string>) {
    const edge = await openEdge({
      QUERY_COST_PER_MINUTE_PER_USER: '160',
      QUERY_COST_PER_MINUTE_PER_ADDRESS: '60',
      TRUSTED_PROXIES: '127.0.0.1',
    });
    closing.push(() => edge.close());
    let last = await edge.post({ query: QUERY }, headers);
    for (let n = 0; n < 10 && last.status === 200; n += 1) {
      last = await edge.post({ query: QUERY }, headers);
    }
    return { edge, last };
  }

  test('is refused over HTTP with 429, and with when to come back', async () => {
    const { edge, last } = await spent({});
    expect(last).toMatchObject({
      status: 429,
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
      json: { errors: [{ extensions: { code: 'RATE_LIMITED' } }] },
    });
    expect(last.json.errors[0].message).toMatch(
      /^Too many queries: your address's queries of a minute may cost 60 in all\. Try again in \d+ s\.$/,
    );
    const byGet = await edge.get({ query: QUERY });
    const streamed = await edge.post({ query: QUERY }, { accept: 'text/event-stream' });
    expect([byGet.status, streamed.status]).toEqual([429, 429]);
    // Signed in, or from elsewhere, there is another budget.
    expect((await edge.post({ query: QUERY }, { authorization: 'Bearer kim' })).status).toBe(200);
    const elsewhere = { 'x-forwarded-for': '198.51.100.1' };
    expect((await edge.post({ query: QUERY }, elsewhere)).status).toBe(200);
  });

  test('lets no query and no subscription begin, whatever its protocol', async () => {
    const kim = { authorization: 'Bearer kim' };
    const { edge } = await spent(kim);
    const accept = ['text/event-stream', 'multipart/mixed;subscriptionSpec=1.0'];
    for (const each of accept) {
      let answer = await edge.post({ query: QUERY }, { ...kim, accept: each });
      expect(answer.status).toBe(429);
      // A start is cheap: what is left of the budget may be enough for some.
      for (let n = 0; n < 20 && answer.status !== 429; n += 1) {
        answer = await edge.post({ query: SUBSCRIPTION }, { ...kim, accept: each });
      }
      expect(answer.status).toBe(429);
    }
    const client = createLiveClient({
      url: `ws://127.0.0.1:${edge.port}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: kim,
      retryAttempts: 0,
    });
    const errors = await new Promise((resolve) =>
      client.subscribe(
        { query: QUERY },
        { next: resolve, complete: () => resolve('complete'), error: resolve },
      ),
    );
    expect(errors).toMatchObject([
      { extensions: { code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) } },
    ]);
    await client.dispose();
  });
});
