import type { Viewer } from '#platform/auth/viewer.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { type Metrics, showConnection } from '#platform/observability/metrics.ts';
import { budgetCounter, type Excess, exactCounter } from './counters.ts';
import { countingRedis } from './counting-redis.ts';
import { refusal } from './refusals.ts';

/** Who sends a request. */
export interface Caller {
  viewer: Viewer | null;
  address: string;
}

/** What a caller may do in a minute. */
export interface Rates {
  /** Counts so many mutations against user and address; rejects with RATE_LIMITED when that is too many. */
  mutate(mutations: number, caller: Caller): Promise<void>;
  /**
   * Spends a query's or a subscription's cost; throws RATE_LIMITED when the budget has not that much
   * left. Of signed-in users it is their own budget: customers behind one address don't share one.
   */
  read(cost: number, caller: Caller): void;
  close(): Promise<void>;
}

/** How many mutations there may be in a minute, and what queries may cost in all; 0: any number. */
export interface RateSettings {
  mutationsPerUser: number;
  mutationsPerAddress: number;
  queryCostPerUser: number;
  queryCostPerAddress: number;
  /** Where all routers count together; without, each counts for itself. */
  redisUrl: string | undefined;
  metrics: Metrics;
  logger: Logger;
}

/** HTTP, parsing and planning cost as much as some objects, however few are requested. */
const LEAST_COST = 10;

export function callerRates(settings: RateSettings): Rates {
  const { mutationsPerUser, mutationsPerAddress, queryCostPerUser, queryCostPerAddress } = settings;
  const limits = [mutationsPerUser, mutationsPerAddress, queryCostPerUser, queryCostPerAddress];
  const redis =
    settings.redisUrl && limits.some((limit) => limit > 0)
      ? countingRedis(settings.redisUrl, settings.logger)
      : undefined;
  if (redis) showConnection(settings.metrics, 'counters', redis.isThere);
  const mutations = (of: string, limit: number) =>
    limit > 0 ? exactCounter(`mutations:${of}`, limit, redis) : null;
  const queries = (of: string, limit: number) =>
    limit > 0 ? budgetCounter(`queries:${of}`, limit, redis) : null;
  const mutationsOfUser = mutations('user', mutationsPerUser);
  const mutationsOfAddress = mutations('address', mutationsPerAddress);
  const queriesOfUser = queries('user', queryCostPerUser);
  const queriesOfAddress = queries('address', queryCostPerAddress);

  return {
    async mutate(count, { viewer, address }) {
      if (count === 0) return;
      const excesses = await Promise.all([
        mutationsOfAddress?.(address, count),
        viewer && mutationsOfUser?.(viewer.userId, count),
      ]);
      for (const excess of excesses) {
        if (excess)
          throw limited(excess, `Too many mutations: ${excess.limit} a minute are allowed.`);
      }
    },

    read(cost, { viewer, address }) {
      const excess = viewer
        ? queriesOfUser?.spend(viewer.userId, Math.max(cost, LEAST_COST))
        : queriesOfAddress?.spend(address, Math.max(cost, LEAST_COST));
      if (!excess) return;
      const whose = viewer ? 'your' : "your address's";
      throw limited(
        excess,
        `Too many queries: ${whose} queries of a minute may cost ${excess.limit} in all.`,
      );
    },

    async close() {
      queriesOfUser?.close();
      queriesOfAddress?.close();
      redis?.client.destroy();
    },
  };
}

function limited({ waitMs }: Excess, sentence: string) {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return refusal('RATE_LIMITED', `${sentence} Try again in ${seconds} s.`, {
    retryAfterSeconds: seconds,
    http: { status: 429, headers: { 'retry-after': String(seconds) } },
  });
}
