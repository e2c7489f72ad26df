import { afterEach, describe, expect, test } from '@jest/globals';
import { createMetrics } from '#platform/observability/metrics.ts';
import { startRedisCluster } from '../../tests/faults/redis-cluster/cluster.ts';
import { silent } from '../../tests/support/database.ts';
import { startRedis } from '../../tests/support/servers.mjs';
import { until } from '../../tests/support/system.ts';
import { budgetCounter } from '../src/admission/counters.ts';
import { COUNTERS_PREFIX } from '../src/admission/counting-redis.ts';
import { type Client, clientRates } from '../src/admission/rates.ts';
import { RequestErrors } from '../src/admission/refusals.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const clientFor = (userId: string | null, address = '203.0.113.1'): Client => ({
  principal: userId === null ? null : { userId, roles: ['customer'] },
  address,
});

function openRates(settings: {
  mutations?: [perUser: number, perAddress: number];
  queryCost?: [perUser: number, perAddress: number];
  redisUrl?: string | undefined;
}) {
  const [mutationsPerUser, mutationsPerAddress] = settings.mutations ?? [0, 0];
  const [queryCostPerUser, queryCostPerAddress] = settings.queryCost ?? [0, 0];
  const rates = clientRates({
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

/** The extensions of the refusal; null without one. */
async function findRefusal(work: () => unknown) {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof RequestErrors)) throw error;
    return error.errors[0]?.extensions ?? null;
  }
}

function openMutations(perUser: number, perAddress: number, redisUrl?: string) {
  const rates = openRates({ mutations: [perUser, perAddress], redisUrl });
  return (mutations: number, client: Client) =>
    findRefusal(() => rates.countMutations(mutations, client));
}

function openBudgets(perUser: number, perAddress: number, redisUrl?: string) {
  const rates = openRates({ queryCost: [perUser, perAddress], redisUrl });
  return (cost: number, client: Client) => findRefusal(() => rates.spendQueryCost(cost, client));
}

/** Redis is installed on this machine. */
const testWithRedis = process.env.TEST_REDIS_URL ? test : test.skip;

async function openRedis() {
  const redis = await startRedis('test');
  const url = `redis://:test@127.0.0.1:${redis.port}`;
  return { ...redis, url };
}

describe('mutations', () => {
  test('mutations are counted for each user and each address', async () => {
    const count = openMutations(3, 5);
    expect(await count(3, clientFor('kim'))).toBeNull();
    expect(await count(1, clientFor('kim'))).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await count(1, clientFor('lee'))).toBeNull();
    // The refused mutation counts as well: the address has had five.
    expect(await count(1, clientFor('park'))).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await count(1, clientFor('park', '203.0.113.2'))).toBeNull();
  });

  test('mutations of anonymous clients are counted for their address', async () => {
    const count = openMutations(1, 2);
    expect(await count(2, clientFor(null))).toBeNull();
    expect(await count(1, clientFor(null))).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterSeconds: 60,
      http: { status: 429, headers: { 'retry-after': '60' } },
    });
  });

  test('mutations are not counted when the limit is 0', async () => {
    const count = openMutations(0, 0);
    for (let n = 0; n < 100; n += 1) expect(await count(10, clientFor('kim'))).toBeNull();
  });

  testWithRedis('mutations are counted by all routers together on Redis', async () => {
    const redis = await openRedis();
    closing.push(redis.stop);
    const [one, other] = [openMutations(4, 0, redis.url), openMutations(4, 0, redis.url)];
    // Each router counts by itself until it is connected.
    await until('both routers count together', async () => {
      const user = `user${Math.random()}`;
      await one(4, clientFor(user));
      return other(1, clientFor(user));
    });
    expect(await one(2, clientFor('kim'))).toBeNull();
    expect(await other(2, clientFor('kim'))).toBeNull();
    for (const count of [one, other]) {
      expect(await count(1, clientFor('kim'))).toMatchObject({ code: 'RATE_LIMITED' });
    }
  });

  testWithRedis(
    'mutations are counted by all routers together on a Redis Cluster, also after its master was killed',
    async () => {
      const cluster = await startRedisCluster();
      closing.push(cluster.stop);
      const [one, other] = [openMutations(4, 0, cluster.url), openMutations(4, 0, cluster.url)];
      const countTogether = () =>
        until(
          'both routers count together',
          async () => {
            const user = `user${Math.random()}`;
            await one(4, clientFor(user));
            return other(1, clientFor(user));
          },
          60,
        );
      await countTogether();
      const master = await cluster.masterOf(COUNTERS_PREFIX);
      master.kill();
      // While no node counts, each router does.
      for (let n = 0; n < 4; n += 1) expect(await one(1, clientFor('kim'))).toBeNull();
      expect(await one(1, clientFor('kim'))).toMatchObject({ code: 'RATE_LIMITED' });
      await countTogether();
      expect(await cluster.masterOf(COUNTERS_PREFIX)).not.toBe(master);
    },
    240_000,
  );

  testWithRedis('mutations are counted by each router while Redis is down', async () => {
    const redis = await openRedis();
    const count = openMutations(3, 0, redis.url);
    expect(await count(3, clientFor('kim'))).toBeNull();
    await redis.stop();
    for (let n = 0; n < 3; n += 1) expect(await count(1, clientFor('lee'))).toBeNull();
    expect(await count(1, clientFor('lee'))).toMatchObject({ code: 'RATE_LIMITED' });
  });

  testWithRedis('mutations wait at most once for a Redis that does not respond', async () => {
    const redis = await openRedis();
    closing.push(redis.stop);
    const count = openMutations(1_000, 1_000, redis.url);
    const other = openMutations(1_000, 1_000, redis.url);
    await until('Redis counts', async () => {
      const user = `user${Math.random()}`;
      await other(1_000, clientFor(user, user));
      return count(1, clientFor(user, user));
    });
    redis.pause();
    try {
      const startedAt = performance.now();
      for (let n = 0; n < 200; n += 1) expect(await count(1, clientFor('kim'))).toBeNull();
      // A wait of 100 ms for each mutation would take 20 s.
      expect(performance.now() - startedAt).toBeLessThan(10_000);
    } finally {
      redis.resume();
    }
  });
});

describe('the cost of queries', () => {
  test('the cost of anonymous queries is counted for their address', async () => {
    const read = openBudgets(1_000, 100);
    expect(await read(60, clientFor(null))).toBeNull();
    expect(await read(60, clientFor(null))).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterSeconds: expect.any(Number),
      http: { status: 429, headers: { 'retry-after': expect.stringMatching(/^\d+$/) } },
    });
    expect(await read(60, clientFor(null, '203.0.113.2'))).toBeNull();
  });

  test('a refused query spends nothing', async () => {
    const read = openBudgets(0, 100);
    expect(await read(101, clientFor(null))).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await read(100, clientFor(null))).toBeNull();
  });

  test('a signed-in user has a budget of their own, behind the same address as others', async () => {
    const read = openBudgets(100, 10);
    expect(await read(100, clientFor('kim'))).toBeNull();
    expect(await read(10, clientFor(null))).toBeNull();
    expect(await read(100, clientFor('lee'))).toBeNull();
    for (const client of [clientFor('kim'), clientFor('kim', '203.0.113.2'), clientFor(null)]) {
      expect(await read(1, client)).toMatchObject({ code: 'RATE_LIMITED' });
    }
  });

  test('a query without cost spends the minimum cost of a request', async () => {
    const read = openBudgets(0, 100);
    for (let n = 0; n < 10; n += 1) expect(await read(0, clientFor(null))).toBeNull();
    expect(await read(0, clientFor(null))).toMatchObject({ code: 'RATE_LIMITED' });
  });

  test('the cost of queries is not counted when the budget is 0', async () => {
    const read = openBudgets(0, 0);
    for (let n = 0; n < 100; n += 1) expect(await read(1_000_000, clientFor('kim'))).toBeNull();
  });

  test('a budget can be spent again when Retry-After has passed, and not before', () => {
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

  testWithRedis(
    'the cost of queries is added up by all routers on Redis, and no query waits',
    async () => {
      const redis = await openRedis();
      closing.push(redis.stop);
      const [one, other] = [openBudgets(1_000, 0, redis.url), openBudgets(1_000, 0, redis.url)];
      expect(await one(900, clientFor('kim'))).toBeNull();
      await until('the other router has synchronised', () => other(150, clientFor('kim')));
      expect(await one(150, clientFor('kim'))).toMatchObject({ code: 'RATE_LIMITED' });
      expect(await other(1_000, clientFor('lee'))).toBeNull();
    },
  );

  testWithRedis(
    'the cost of queries is added up by all routers on a Redis Cluster',
    async () => {
      const cluster = await startRedisCluster();
      closing.push(cluster.stop);
      const open = () => openBudgets(1_000, 0, cluster.url);
      const [one, other] = [open(), open()];
      expect(await one(900, clientFor('kim'))).toBeNull();
      await until('the other router has synchronised', () => other(150, clientFor('kim')));
    },
    180_000,
  );

  testWithRedis('the cost of queries is counted by each router while Redis is down', async () => {
    const redis = await openRedis();
    const budget = openBudgets(1_000, 0, redis.url);
    await redis.stop();
    expect(await budget(1_000, clientFor('kim'))).toBeNull();
    expect(await budget(10, clientFor('kim'))).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await budget(10, clientFor('lee'))).toBeNull();
  });
});
