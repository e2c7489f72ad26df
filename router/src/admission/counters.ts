import { LRUCache } from 'lru-cache';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import { withTimeout } from '#platform/lifecycle/timeout.ts';
import { COUNTERS_PREFIX, type CountingRedis } from './counting-redis.ts';

/** By how much a client exceeds its limit of a minute. */
export interface Excess {
  limit: number;
  /** The time until the next minute of the client starts. */
  waitMs: number;
}

const WINDOW_S = 60;
const WINDOW_MS = WINDOW_S * 1_000;
/** Redis timeout for one count; on timeout only this process counts. */
const REDIS_TIMEOUT_MS = 100;

/**
 * Counts in this process, and waits for the count on Redis: while Redis responds, all routers together keep
 * the limit, otherwise each router does. Requests above the limit count as well.
 */
export function exactCounter(name: string, limit: number, redis: CountingRedis | undefined) {
  const options = { keyPrefix: `${COUNTERS_PREFIX}:${name}`, points: limit, duration: WINDOW_S };
  const local = new RateLimiterMemory(options);
  const shared =
    redis &&
    new RateLimiterRedis({
      ...options,
      storeClient: redis.client,
      useRedisPackage: true,
      rejectIfRedisNotReady: true,
    });

  /** Counts together with the other routers; null while Redis does not respond. */
  async function consumeShared(key: string, points: number): Promise<RateLimiterRes | null> {
    if (!shared || !redis.isAvailable()) return null;
    try {
      return await withTimeout(REDIS_TIMEOUT_MS, 'counting', consume(shared, key, points));
    } catch (error) {
      redis.onFailure(error);
      return null;
    }
  }

  const toExcess = ({ consumedPoints, msBeforeNext }: RateLimiterRes): Excess | null =>
    consumedPoints > limit ? { limit, waitMs: msBeforeNext } : null;

  return async (key: string, points: number): Promise<Excess | null> => {
    // Always locally first, so that the limit holds in this process while Redis is slow or down.
    const localExcess = toExcess(await consume(local, key, points));
    if (localExcess) return localExcess;
    const total = await consumeShared(key, points);
    return total && toExcess(total);
  };
}

/** Resolves with the count, also above the limit; rejects when nothing was counted. */
async function consume(
  limiter: RateLimiterAbstract,
  key: string,
  points: number,
): Promise<RateLimiterRes> {
  try {
    return await limiter.consume(key, points);
  } catch (error) {
    if (error instanceof RateLimiterRes) return error;
    throw error;
  }
}

/** A client's minute, which starts with its first query, and the cost spent in it. */
interface Minute {
  endsAt: number;
  /** The total of all routers at the last synchronisation, plus what this router spent since. */
  spent: number;
  /** The part that this router has not added on Redis yet. */
  unsynchronised: number;
}

/** Bounds memory; a client that is evicted starts a new minute in this process. */
const MAX_CLIENTS = 50_000;
const SYNCHRONISATION_MS = 500;

export interface BudgetCounter {
  /** Spends the points; returns the excess, and spends nothing, when less is left. */
  spend(key: string, points: number): Excess | null;
  close(): void;
}

/**
 * Counts in this process, so that no query waits, and synchronises with the other routers on Redis twice a
 * second: together they can exceed the limit by the cost of half a second's queries.
 */
export function budgetCounter(
  name: string,
  limit: number,
  redis: CountingRedis | undefined,
  clock: () => number = () => performance.now(),
): BudgetCounter {
  const minutes = new LRUCache<string, Minute>({ max: MAX_CLIENTS });
  const changed = new Map<string, Minute>();

  function currentMinute(key: string): Minute {
    const now = clock();
    const running = minutes.get(key);
    if (running && now < running.endsAt) return running;
    const started = { endsAt: now + WINDOW_MS, spent: 0, unsynchronised: 0 };
    minutes.set(key, started);
    return started;
  }

  async function synchronise({ client }: CountingRedis): Promise<void> {
    const batch = [...changed];
    changed.clear();
    await Promise.all(
      batch.map(async ([key, minute]) => {
        const added = minute.unsynchronised;
        minute.unsynchronised = 0;
        const redisKey = `${COUNTERS_PREFIX}:${name}:${key}`;
        try {
          const [total, left] = await Promise.all([
            client.incrBy(redisKey, added),
            client.pTTL(redisKey),
          ]);
          // The first router that spends starts the minute for all routers.
          if (left < 0) await client.pExpire(redisKey, WINDOW_MS);
          else minute.endsAt = clock() + left;
          minute.spent = total + minute.unsynchronised;
        } catch (error) {
          minute.unsynchronised += added;
          changed.set(key, minute);
          throw error;
        }
      }),
    );
  }

  let isSynchronising = false;
  const timer =
    redis &&
    setInterval(() => {
      deleteEnded(changed, clock());
      if (isSynchronising || changed.size === 0 || !redis.isAvailable()) return;
      isSynchronising = true;
      synchronise(redis)
        .catch(redis.onFailure)
        .finally(() => {
          isSynchronising = false;
        });
    }, SYNCHRONISATION_MS);

  return {
    spend(key, points) {
      const minute = currentMinute(key);
      if (minute.spent + points > limit) {
        return { limit, waitMs: minute.endsAt - clock() };
      }
      minute.spent += points;
      minute.unsynchronised += points;
      if (redis) changed.set(key, minute);
      return null;
    },
    close: () => clearInterval(timer),
  };
}

/** Without it the changes would grow without limit while Redis is down. */
function deleteEnded(changed: Map<string, Minute>, now: number): void {
  for (const [key, { endsAt }] of changed) {
    if (endsAt <= now) changed.delete(key);
  }
}
