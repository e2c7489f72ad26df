import { GraphQLError } from 'graphql';
import type { Client } from '../admission/rates.ts';

export interface SubscriptionLimits {
  perUser: number;
  /** Of clients without a token. */
  perAddress: number;
  perProcess: number;
}

/** Of the limit of the process, for clients without a token: addresses are cheaper than users. */
const ANONYMOUS_SHARE = 0.5;

export interface SubscriptionCounter {
  /**
   * Counts one more of the user's, or of the address of a client without a token; returns what uncounts
   * it. Throws TOO_MANY_SUBSCRIPTIONS.
   */
  reserve(client: Client): () => void;
  readonly count: number;
}

/** Counts the open subscriptions of each user, of each address without one, and of this process. */
export function subscriptionCounter(limits: SubscriptionLimits): SubscriptionCounter {
  const perClient = new Map<string, number>();
  let count = 0;
  let anonymous = 0;
  return {
    get count() {
      return count;
    },
    reserve({ principal, address }) {
      const key = principal ? `user ${principal.userId}` : `address ${address}`;
      const own = perClient.get(key) ?? 0;
      if (own >= (principal ? limits.perUser : limits.perAddress)) {
        const who = principal ? 'You have' : 'Without a token, your address has';
        throw tooMany(`${who} ${own} subscriptions open, as many as are allowed: end some first.`);
      }
      if (count >= limits.perProcess) throw tooMany('This server is full: try again in a moment.');
      if (!principal && anonymous >= Math.ceil(limits.perProcess * ANONYMOUS_SHARE)) {
        throw tooMany(
          'This server has no room without a token: sign in, or try again in a moment.',
        );
      }
      perClient.set(key, own + 1);
      count += 1;
      if (!principal) anonymous += 1;
      let isReleased = false;
      return () => {
        if (isReleased) return;
        isReleased = true;
        count -= 1;
        if (!principal) anonymous -= 1;
        const left = (perClient.get(key) ?? 1) - 1;
        if (left === 0) perClient.delete(key);
        else perClient.set(key, left);
      };
    },
  };
}

function tooMany(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } });
}
