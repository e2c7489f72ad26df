import { GraphQLError } from 'graphql';

export interface SubscriptionLimits {
  perUser: number;
  perProcess: number;
}

export interface SubscriptionCounter {
  /** Counts one more of the user's; returns what uncounts it. Throws TOO_MANY_SUBSCRIPTIONS. */
  reserve(userId: string): () => void;
  readonly count: number;
}

/** Counts the open subscriptions of each user, and of this process. */
export function subscriptionCounter(limits: SubscriptionLimits): SubscriptionCounter {
  const perUser = new Map<string, number>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    reserve(userId) {
      const own = perUser.get(userId) ?? 0;
      if (own >= limits.perUser) {
        throw tooMany(
          `You have ${own} subscriptions open, as many as are allowed: end some first.`,
        );
      }
      if (count >= limits.perProcess) throw tooMany('This server is full: try again in a moment.');
      perUser.set(userId, own + 1);
      count += 1;
      return () => {
        count -= 1;
        const left = (perUser.get(userId) ?? 1) - 1;
        if (left === 0) perUser.delete(userId);
        else perUser.set(userId, left);
      };
    },
  };
}

function tooMany(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } });
}
