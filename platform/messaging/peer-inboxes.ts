import { z } from 'zod';
import type { Authorize } from '../auth/internal-tokens.ts';
import { openPeerClient } from '../http/peer-client.ts';

/** The path at which a consumer serves its inbox. */
export const HELD_PATH = '/inbox/held';

const TIMEOUT_MS = 2_000;

const inboxResponse = z.object({ held: z.array(z.string()) });

export interface PeerInboxes {
  /** The ids among `ids` that the consumer's inbox contains; null when it does not respond. */
  held(consumer: string, ids: readonly string[]): Promise<Set<string> | null>;
  close(): Promise<void>;
}

/** Reads other contexts' inboxes over HTTP, at `POST <url>/inbox/held`. */
export function peerInboxes(
  urls: Readonly<Record<string, string>>,
  authorize: Authorize,
): PeerInboxes {
  const peers = openPeerClient(urls, authorize, { connections: 2, timeoutMs: TIMEOUT_MS });
  return {
    async held(consumer, ids) {
      try {
        const request = { path: HELD_PATH, body: { ids } };
        return new Set((await peers.request(consumer, request, inboxResponse)).held);
      } catch {
        // A consumer that is down delays only its own acknowledgements.
        return null;
      }
    },
    close: () => peers.close(),
  };
}
