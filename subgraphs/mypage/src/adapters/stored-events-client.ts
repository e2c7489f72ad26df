import { z } from 'zod';
import type { EventContracts } from '#contracts/event-contract.ts';
import { findConsumers, type Topology, topology } from '#contracts/topology.ts';
import type { SignRequest } from '#platform/auth/internal-requests.ts';
import { openPeerClient } from '#platform/http/peer-client.ts';
import { readPayload } from '#platform/messaging/event-payload.ts';
import { NotUnderstood } from '#platform/messaging/failures.ts';
import { EVENT_COUNT_PATH, EVENTS_PATH } from '#platform/messaging/stored-events.ts';
import type { Logger } from '#platform/observability/logger.ts';

import type { PublishingContext, StoredEvent, StoredEvents } from '../ports.ts';
import type { ConsumedEvent } from '../space-view.ts';

const TIMEOUT_MS = 10_000;

const page = z.object({
  events: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      version: z.number(),
      // Absent where the context runs an earlier release.
      schemaVersion: z.int().default(1),
      occurredAt: z.coerce.date(),
      payload: z.unknown(),
    }),
  ),
  next: z.string().nullable(),
});
const count = z.object({ count: z.number() });

type Sources = Record<
  PublishingContext,
  { aggregate: ConsumedEvent['aggregate']; contracts: EventContracts }
>;

/** The aggregate that each context's events describe, except those of the topic `space`. */
const SOURCES: Sources = {
  book: { aggregate: 'booking', contracts: topology.book.publishes },
  payment: { aggregate: 'payment', contracts: topology.payment.publishes },
  space: { aggregate: 'registration', contracts: topology.space.publishes },
};

/** Reads the events that the other contexts have stored, over HTTP: no context reads another's database. */
export function storedEventsClient(
  urls: Record<PublishingContext, string>,
  authorize: SignRequest,
  logger: Logger,
  sources = SOURCES,
  contexts: Topology = topology,
): StoredEvents & { close(): Promise<void> } {
  const peers = openPeerClient(urls, authorize, { connections: 1, timeoutMs: TIMEOUT_MS });

  return {
    async page(from, after) {
      const query = after === null ? '' : `?after=${after}`;
      const response = await peers.request(from, { path: `${EVENTS_PATH}${query}` }, page);
      return {
        next: response.next,
        events: response.events.map((each) => toStoredEvent(sources[from], each, logger, contexts)),
      };
    },
    count: async (from) => (await peers.request(from, { path: EVENT_COUNT_PATH }, count)).count,
    close: () => peers.close(),
  };
}

function toStoredEvent(
  { aggregate, contracts }: Sources[PublishingContext],
  { id, type, version, schemaVersion, occurredAt, payload }: z.infer<typeof page>['events'][number],
  logger: Logger,
  contexts: Topology,
): StoredEvent {
  const contract = contracts[type];
  if (contract && !findConsumers(type, contexts).includes('mypage')) {
    return { id, event: null, isUnreadable: false };
  }
  try {
    // A newer release may have published it for mypage: it is reported as unreadable, not skipped.
    if (!contract) throw new NotUnderstood(`mypage does not know ${type}`);
    const parsed = readPayload(contract, { type, schemaVersion, payload });
    const described = contract.topic === 'space' ? 'space' : aggregate;
    const envelope = { id, version, occurredAt, aggregate: described };
    const event = { ...envelope, payload: parsed } as ConsumedEvent;
    return { id, event, isUnreadable: false };
  } catch (error) {
    logger.warn({ event: type, eventId: id, err: error }, 'a stored event cannot be read');
    return { id, event: null, isUnreadable: true };
  }
}
