import type { Principal } from '#platform/auth/principal.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { type Metrics, showConnection } from '#platform/observability/metrics.ts';
import { budgetCounter, type Excess, exactCounter } from './counters.ts';
import { countingRedis } from './counting-redis.ts';
import { refusal } from './refusals.ts';

/** Whose request it is: what rates are counted by. */
export interface Client {
  principal: Principal | null;
  address: string;
}

/** The limits of each client in a minute. */
export interface Rates {
  /** Counts mutations against the user and the address; rejects with RATE_LIMITED when they are too many. */
  countMutations(mutations: number, client: Client): Promise<void>;
  /**
   * Spends the cost of a query or subscription; throws RATE_LIMITED when the budget has less left. Each
   * signed-in user has a budget, so that users behind one address do not share one.
   */
  spendQueryCost(cost: number, client: Client): void;
  close(): Promise<void>;
}

/** Limits per minute: the number of mutations, the total cost of queries; 0: no limit. */
export interface RateSettings {
  mutationsPerUser: number;
  mutationsPerAddress: number;
  queryCostPerUser: number;
  queryCostPerAddress: number;
  /** Where all routers count together; undefined: each router counts for itself. */
  redisUrl: string | undefined;
  metrics: Metrics;
  logger: Logger;
}

/** HTTP, parsing and planning cost about as much as this many objects. */
const MIN_QUERY_COST = 10;

export function clientRates(settings: RateSettings): Rates {
  const { mutationsPerUser, mutationsPerAddress, queryCostPerUser, queryCostPerAddress } = settings;
  const limits = [mutationsPerUser, mutationsPerAddress, queryCostPerUser, queryCostPerAddress];
  const redis =
    settings.redisUrl && limits.some((limit) => limit > 0)
      ? countingRedis(settings.redisUrl, settings.logger)
      : undefined;
  if (redis) showConnection(settings.metrics, 'counters', redis.isAvailable);
  const mutations = (scope: string, limit: number) =>
    limit > 0 ? exactCounter(`mutations:${scope}`, limit, redis) : null;
  const queries = (scope: string, limit: number) =>
    limit > 0 ? budgetCounter(`queries:${scope}`, limit, redis) : null;
  const userMutations = mutations('user', mutationsPerUser);
  const addressMutations = mutations('address', mutationsPerAddress);
  const userQueries = queries('user', queryCostPerUser);
  const addressQueries = queries('address', queryCostPerAddress);

  return {
    async countMutations(count, { principal, address }) {
      if (count === 0) return;
      const excesses = await Promise.all([
        addressMutations?.(address, count),
        principal && userMutations?.(principal.userId, count),
      ]);
      for (const excess of excesses) {
        if (excess)
          throw rateLimited(excess, `Too many mutations: ${excess.limit} a minute are allowed.`);
      }
    },

    spendQueryCost(cost, { principal, address }) {
      const excess = principal
        ? userQueries?.spend(principal.userId, Math.max(cost, MIN_QUERY_COST))
        : addressQueries?.spend(address, Math.max(cost, MIN_QUERY_COST));
      if (!excess) return;
      const whose = principal ? 'your' : "your address's";
      throw rateLimited(
        excess,
        `Too many queries: ${whose} queries of a minute may cost ${excess.limit} in all.`,
      );
    },

    async close() {
      userQueries?.close();
      addressQueries?.close();
      redis?.close();
    },
  };
}

function rateLimited({ waitMs }: Excess, sentence: string) {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return refusal('RATE_LIMITED', `${sentence} Try again in ${seconds} s.`, {
    retryAfterSeconds: seconds,
    http: { status: 429, headers: { 'retry-after': String(seconds) } },
  });
}
