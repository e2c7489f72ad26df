import type { Topology } from '#contracts/topology.ts';
import type { SignRequest } from '../auth/internal-requests.ts';
import type { Pool } from '../database/postgres.ts';
import { repeat } from '../lifecycle/lifecycle.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import { collectAcknowledgements } from './acknowledgements.ts';
import { dueEventSender, toQueuesByConsumer } from './due-events.ts';
import type { EventRecord } from './events.ts';
import { sendFreshEvents } from './fresh-events.ts';
import { openPeerInboxes } from './peer-inboxes.ts';
import type { Transport } from './queue.ts';
import { relayMetrics } from './relay-metrics.ts';
import { eventSender } from './send-events.ts';

const ACKNOWLEDGE_EVERY_MS = 250;
const SEND_DUE_EVERY_MS = 250;

/** Sends committed events from the outbox to every consumer until each has acknowledged them. */
export interface Relay {
  /** Sends events that this process has just committed. Never fails: the outbox remains. */
  publish(events: readonly EventRecord[]): void;
  stop(): Promise<void>;
}

/**
 * Starts the relay of one outbox. Three loops, none of which relies on another:
 * - fresh events go to the queue right after their commit, under the lease that they are created with;
 * - the consumers' inboxes are read for the events in flight, and the events in them are acknowledged;
 * - due events, whose lease ran out before they were acknowledged, are sent again.
 */
export function startRelay(deps: {
  pool: Pool;
  transport: Transport;
  authorize: SignRequest;
  /** The addresses of the contexts that consume the events. */
  inboxUrls: Readonly<Record<string, string>>;
  /** The context whose outbox it is. */
  publisher: string;
  contexts?: Topology;
  metrics: Metrics;
  logger: Logger;
}): Relay {
  const { pool, transport, publisher, contexts, logger } = deps;
  const queues = toQueuesByConsumer(publisher, contexts);
  const { published, sent, acknowledged } = relayMetrics(pool, deps.metrics, queues);
  const inboxes = openPeerInboxes(deps.inboxUrls, deps.authorize);
  const controller = new AbortController();
  const stopping = controller.signal;
  const acknowledgements = collectAcknowledgements({ pool, inboxes, acknowledged });
  const send = eventSender({ transport, acknowledgements, sent, logger });
  const fresh = sendFreshEvents(send, stopping);
  const sendDueEvents = dueEventSender({
    pool,
    transport,
    inboxes,
    acknowledgements,
    send,
    publisher,
    contexts,
    stopping,
    logger,
  });
  const stops = [
    repeat(
      logger,
      'collecting acknowledgements',
      ACKNOWLEDGE_EVERY_MS,
      acknowledgements.collectInFlight,
    ),
    repeat(logger, 'sending due events', SEND_DUE_EVERY_MS, sendDueEvents),
  ];
  return {
    publish(events) {
      for (const { type } of events) published.inc({ type });
      fresh.add(events);
    },
    async stop() {
      controller.abort();
      await fresh.sent();
      await Promise.all(stops.map((stop) => stop()));
      await inboxes.close();
    },
  };
}
