import { findConsumers, type Topology, topology } from '#contracts/topology.ts';
import type { Pool } from '../database/postgres.ts';
import type { Logger } from '../observability/logger.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { queueName } from './events.ts';
import { claimDueEvents, hasDueEvents } from './outbox.ts';
import type { PeerInboxes } from './peer-inboxes.ts';
import type { Transport } from './queue.ts';
import type { SendEvents } from './send-events.ts';

const BATCH_SIZE = 500;
/** In batches of the queue. A longer queue receives no event a second time. */
const MAX_QUEUE_LENGTH = 40;

/**
 * Makes the function that redelivers the due events of an outbox: those whose lease ran out before
 * all consumers acknowledged them. It uses only queues that are short and whose consumer responds:
 * else a long outage would fill a queue with copies of events that are merely late.
 */
export function dueEventSender(deps: {
  pool: Pool;
  transport: Transport;
  inboxes: PeerInboxes;
  acknowledgements: Acknowledgements;
  send: SendEvents;
  /** The context whose outbox it is. */
  publisher: string;
  contexts: Topology | undefined;
  /** Aborted when no further batch is to be claimed. */
  stopping: AbortSignal;
  logger: Logger;
}): () => Promise<void> {
  const { pool, transport, inboxes, acknowledgements, send, stopping, logger } = deps;
  const queuesByConsumer = toQueuesByConsumer(deps.publisher, deps.contexts);

  /** The queues that are short and whose consumer responds. */
  async function readyQueues(): Promise<string[]> {
    const ready = await Promise.all(
      [...queuesByConsumer].map(async ([consumer, queues]) => {
        if ((await inboxes.findRecorded(consumer, [])) === null) return [];
        const lengths = await Promise.all(queues.map((queue) => transport.countWaiting(queue)));
        return queues.filter((_, index) => (lengths[index] ?? 0) < MAX_QUEUE_LENGTH);
      }),
    );
    return ready.flat();
  }

  return async () => {
    while (!stopping.aborted && (await hasDueEvents(pool))) {
      const queues = await readyQueues();
      if (queues.length === 0) return;
      const claimed = await claimDueEvents(pool, BATCH_SIZE, queues);
      await acknowledgements.collect(claimed.map(({ event }) => event));
      const unacknowledged = claimed.filter(({ event }) =>
        event.awaiting.some((consumer) => queues.includes(queueName(event.topic, consumer))),
      );
      if (unacknowledged.length > 0) {
        logger.info({ events: unacknowledged.length }, 'events are sent again');
        await send(unacknowledged, queues);
      }
      if (claimed.length < BATCH_SIZE) return;
    }
  };
}

/** The queues of each consumer of a context's events. */
export function toQueuesByConsumer(
  publisher: string,
  contexts: Topology = topology,
): Map<string, string[]> {
  const queuesByConsumer = new Map<string, string[]>();
  for (const [type, { topic }] of Object.entries(contexts[publisher]?.publishes ?? {})) {
    for (const consumer of findConsumers(type, contexts)) {
      const queues = new Set(queuesByConsumer.get(consumer)).add(queueName(topic, consumer));
      queuesByConsumer.set(consumer, [...queues]);
    }
  }
  return queuesByConsumer;
}
