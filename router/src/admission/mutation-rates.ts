import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import { createClient } from 'redis';
import type { Logger } from '#platform/logger.ts';
import { sparingWarnings, within } from '#platform/queue-server.ts';
import type { Viewer } from '#platform/viewer.ts';
import { refusal } from './refusals.ts';

/** Who sends a request. */
export interface Caller {
  viewer: Viewer | null;
  address: string;
}

/** How many mutations there may be in a minute. */
export interface MutationRates {
  /** Counts so many mutations; rejects with RATE_LIMITED when that is too many. */
  take(mutations: number, caller: Caller): Promise<void>;
  close(): Promise<void>;
}

export interface MutationRateSettings {
  /** 0: any number. */
  perUser: number;
  perAddress: number;
  /** Where all routers count together; without, each counts for itself. */
  redisUrl: string | undefined;
  logger: Logger;
}

const WINDOW_S = 60;
/** No booking waits longer than that for a count, */
const PATIENCE_MS = 100;
/** and none at all for so long after one has. */
const PAUSE_MS = 1_000;

export function mutationRates(settings: MutationRateSettings): MutationRates {
  const { perUser, perAddress, redisUrl, logger } = settings;
  const isCounting = perUser > 0 || perAddress > 0;
  const redis = redisUrl && isCounting ? connect(redisUrl, logger) : undefined;
  const users = counter('user', perUser, redis);
  const addresses = counter('address', perAddress, redis);

  return {
    async take(mutations, { viewer, address }) {
      if (mutations === 0) return;
      const taken = await Promise.all([
        addresses?.(address, mutations),
        viewer && users?.(viewer.userId, mutations),
      ]);
      for (const refused of taken) {
        if (refused) throw tooMany(refused.limit, refused.waitMs);
      }
    },
    close: async () => redis?.client.destroy(),
  };
}

interface Refused {
  limit: number;
  waitMs: number;
}

type Counter = (key: string, points: number) => Promise<Refused | null>;

/** Counts on Redis while that answers in time, and in this process while it does not. */
function counter(kind: string, limit: number, redis: Redis | undefined): Counter | null {
  if (limit === 0) return null;
  const options = { keyPrefix: `spacerent:mutations:${kind}`, points: limit, duration: WINDOW_S };
  const here = new RateLimiterMemory(options);
  const together =
    redis &&
    new RateLimiterRedis({
      ...options,
      storeClient: redis.client,
      useRedisPackage: true,
      rejectIfRedisNotReady: true,
    });

  async function consume(key: string, points: number): Promise<RateLimiterRes> {
    if (!together || !redis.isThere()) return taken(here, key, points);
    try {
      return await within(PATIENCE_MS, 'counting', taken(together, key, points));
    } catch (error) {
      redis.failed(error);
      return taken(here, key, points);
    }
  }

  return async (key, points) => {
    const { consumedPoints, msBeforeNext } = await consume(key, points);
    return consumedPoints > limit ? { limit, waitMs: msBeforeNext } : null;
  };
}

/** What was counted, also when it is too much; rejects when nothing was. */
async function taken(
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

type Redis = ReturnType<typeof connect>;

/** A connection that never keeps anyone waiting: neither for itself at the start, nor for answers. */
function connect(url: string, logger: Logger) {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: 3_000,
      reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 2_000),
    },
  });
  const warn = sparingWarnings(logger, 'Redis does not count mutations: each router does');
  client.on('error', warn);
  client.connect().catch(() => {});
  let pausedUntil = 0;
  return {
    client,
    isThere: () => client.isReady && performance.now() >= pausedUntil,
    failed(error: unknown) {
      warn(error);
      pausedUntil = performance.now() + PAUSE_MS;
    },
  };
}

function tooMany(limit: number, waitMs: number) {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return refusal(
    'RATE_LIMITED',
    `Too many mutations: ${limit} a minute are allowed. Try again in ${seconds} s.`,
    {
      retryAfterSeconds: seconds,
      http: { status: 429, headers: { 'retry-after': String(seconds) } },
    },
  );
}
