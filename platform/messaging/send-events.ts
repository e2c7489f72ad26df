import type { Counter } from 'prom-client';
import type { Logger } from '../observability/logger.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { inSendSpan } from './event-traces.ts';
import { queueName } from './events.ts';
import type { ClaimedEvent } from './outbox.ts';
import type { Message, Transport } from './queue.ts';

/**
 * Sends events to the consumers that have not acknowledged them, only over `queues` where those are
 * given. Never rejects: a relay sends the events again when their lease runs out.
 */
export type SendEvents = (
  events: readonly ClaimedEvent[],
  queues?: readonly string[],
) => Promise<void>;

export function eventSender(deps: {
  transport: Transport;
  acknowledgements: Acknowledgements;
  sent: Counter<'queue' | 'again'>;
  logger: Logger;
}): SendEvents {
  const { transport, acknowledgements, sent, logger } = deps;
  return async (events, queues) => {
    const messages: Message[] = events.flatMap(({ event, attempt }) =>
      event.awaiting
        .map((consumer) => ({ queue: queueName(event.topic, consumer), event, attempt }))
        .filter(({ queue }) => queues === undefined || queues.includes(queue)),
    );
    for (const { event } of events) acknowledgements.track(event);
    try {
      await inSendSpan(events, () => transport.send(messages));
      for (const { queue, attempt } of messages) {
        sent.inc({ queue, again: attempt > 1 ? 'yes' : 'no' });
      }
    } catch (error) {
      logger.warn({ err: error, events: events.length }, 'events wait for the queue');
    }
  };
}
