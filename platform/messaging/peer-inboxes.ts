import { z } from 'zod';
import type { SignRequest } from '../auth/internal-requests.ts';
import { openPeerClient } from '../http/peer-client.ts';

/** The path at which a consumer serves its inbox. */
export const INBOX_PATH = '/inbox/recorded';

const TIMEOUT_MS = 2_000;

const inboxResponse = z.object({ recorded: z.array(z.string()) });

export interface PeerInboxes {
  /** The ids among `ids` that the consumer's inbox contains; null when it does not respond. */
  findRecorded(consumer: string, ids: readonly string[]): Promise<Set<string> | null>;
  close(): Promise<void>;
}

/** Reads other contexts' inboxes over HTTP, at `POST <url>/inbox/recorded`. */
export function openPeerInboxes(
  urls: Readonly<Record<string, string>>,
  authorize: SignRequest,
): PeerInboxes {
  const peers = openPeerClient(urls, authorize, { connections: 2, timeoutMs: TIMEOUT_MS });
  return {
    async findRecorded(consumer, ids) {
      try {
        const request = { path: INBOX_PATH, body: { ids } };
        return new Set((await peers.request(consumer, request, inboxResponse)).recorded);
      } catch {
        // A consumer that is down delays only its own acknowledgements.
        return null;
      }
    },
    close: () => peers.close(),
  };
}
