import { LRUCache } from 'lru-cache';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import { within } from '#platform/messaging/queue-server.ts';
import type { CountingRedis } from './counting-redis.ts';

/** More than a minute's limit. */
export interface Excess {
  limit: number;
  /** Until there is something left of the limit. */
  waitMs: number;
}

const WINDOW_S = 60;
const WINDOW_MS = WINDOW_S * 1_000;
/** No mutation waits longer than that for a count. */
const PATIENCE_MS = 100;

/**
 * Counts in this process, and on Redis before it answers, so that all routers together keep to the
 * limit while Redis responds, and each by itself otherwise. What exceeds the limit counts as well.
 */
export function exactCounter(name: string, limit: number, redis: CountingRedis | undefined) {
  const options = { keyPrefix: `spacerent:${name}`, points: limit, duration: WINDOW_S };
  const here = new RateLimiterMemory(options);
  const together =
    redis &&
    new RateLimiterRedis({
      ...options,
      storeClient: redis.client,
      useRedisPackage: true,
      rejectIfRedisNotReady: true,
    });

  /** Together with the other routers; null while Redis does not count. */
  async function consumeTogether(key: string, points: number): Promise<RateLimiterRes | null> {
    if (!together || !redis.isThere()) return null;
    try {
      return await within(PATIENCE_MS, 'counting', consumed(together, key, points));
    } catch (error) {
      redis.failed(error);
      return null;
    }
  }

  const excess = ({ consumedPoints, msBeforeNext }: RateLimiterRes): Excess | null =>
    consumedPoints > limit ? { limit, waitMs: msBeforeNext } : null;

  return async (key: string, points: number): Promise<Excess | null> => {
    // Always here as well: while Redis is slow or away, this process alone does not exceed the limit.
    const own = excess(await consumed(here, key, points));
    if (own) return own;
    const all = await consumeTogether(key, points);
    return all && excess(all);
  };
}

/** What was counted, also when it is too much; rejects when nothing was. */
async function consumed(
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

/** A caller's minute, which begins with what they first spend, and what was spent in it. */
interface Minute {
  endsAt: number;
  /** By all routers, as Redis last said, and by this one since then. */
  spent: number;
  /** By this router, and not yet added on Redis. */
  unsynchronised: number;
}

/** Memory is bounded; who is forgotten among so many callers begins a new minute here. */
const MAX_CALLERS = 50_000;
const SYNCHRONISE_MS = 500;

export interface BudgetCounter {
  /** Spends the points, or none of them when they exceed what is left. */
  spend(key: string, points: number): Excess | null;
  close(): void;
}

/**
 * Counts in this process, so that no query waits, and adds up with the other routers on Redis every
 * half second: together they may exceed the limit by what half a second's queries cost.
 */
export function budgetCounter(
  name: string,
  limit: number,
  redis: CountingRedis | undefined,
  clock: () => number = () => performance.now(),
): BudgetCounter {
  const minutes = new LRUCache<string, Minute>({ max: MAX_CALLERS });
  const changed = new Map<string, Minute>();

  function current(key: string): Minute {
    const now = clock();
    const known = minutes.get(key);
    if (known && now < known.endsAt) return known;
    const begun = { endsAt: now + WINDOW_MS, spent: 0, unsynchronised: 0 };
    minutes.set(key, begun);
    return begun;
  }

  async function synchronise({ client }: CountingRedis): Promise<void> {
    const batch = [...changed];
    changed.clear();
    await Promise.all(
      batch.map(async ([key, minute]) => {
        const added = minute.unsynchronised;
        minute.unsynchronised = 0;
        const place = `spacerent:${name}:${key}`;
        try {
          const [total, left] = await Promise.all([
            client.incrBy(place, added),
            client.pTTL(place),
          ]);
          // The first router to spend begins the minute for all of them.
          if (left < 0) await client.pExpire(place, WINDOW_MS);
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
      dropEnded(changed, clock());
      if (isSynchronising || changed.size === 0 || !redis.isThere()) return;
      isSynchronising = true;
      synchronise(redis)
        .catch(redis.failed)
        .finally(() => {
          isSynchronising = false;
        });
    }, SYNCHRONISE_MS);

  return {
    spend(key, points) {
      const minute = current(key);
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

/** While Redis is away these would become more and more. */
function dropEnded(changed: Map<string, Minute>, now: number): void {
  for (const [key, { endsAt }] of changed) {
    if (endsAt <= now) changed.delete(key);
  }
}
