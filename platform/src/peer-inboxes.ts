import { z } from 'zod';
import type { ContextName } from './events.ts';
import { openHttpPool } from './http-pool.ts';
import type { Authorize } from './internal-tokens.ts';

/** Where a consumer answers which events it holds. */
export const HELD_PATH = '/inbox/held';

const answer = z.object({ held: z.array(z.string()) });

export interface PeerInboxes {
  /** The ids among `ids` that the consumer holds durably; null when it does not answer. */
  held(consumer: ContextName, ids: readonly string[]): Promise<Set<string> | null>;
  close(): Promise<void>;
}

/** Asks other contexts' inboxes over HTTP, at `POST <url>/inbox/held`. */
export function peerInboxes(
  urls: Partial<Record<ContextName, string>>,
  authorize: Authorize,
): PeerInboxes {
  const pools = new Map(
    Object.entries(urls).map(([name, url]) => [name, openHttpPool(url, { connections: 2 })]),
  );
  return {
    async held(consumer, ids) {
      try {
        const response = await pools.get(consumer)?.request({
          method: 'POST',
          path: HELD_PATH,
          headers: {
            'content-type': 'application/json',
            authorization: await authorize(consumer),
          },
          body: JSON.stringify({ ids }),
          headersTimeout: 2_000,
          bodyTimeout: 2_000,
        });
        if (response?.statusCode !== 200) {
          await response?.body.dump();
          return null;
        }
        return new Set(answer.parse(await response.body.json()).held);
      } catch {
        // A consumer that is down holds back its acknowledgement, nothing else.
        return null;
      }
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}
