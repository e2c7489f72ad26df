import type { Counter } from 'prom-client';
import type { Pool } from '../database/postgres.ts';
import { acknowledgeEvents } from './outbox.ts';
import type { PeerInboxes } from './peer-inboxes.ts';

/** The first read of the consumers' inboxes after sending; later reads are further and further apart. */
const FIRST_READ_AFTER_MS = 250;
const INBOX_BATCH_SIZE = 1_000;
const MAX_IN_FLIGHT_EVENTS = 20_000;
const MAX_IN_FLIGHT_MS = 60_000;

/** An event, and the consumers that have not acknowledged it. */
export interface UnacknowledgedEvent {
  id: string;
  awaiting: string[];
}

/** Not the whole event: there may be very many. */
interface InFlightEvent extends UnacknowledgedEvent {
  sentAt: number;
  nextReadAt: number;
}

/** Acknowledges in the outbox the events that the consumers' inboxes contain. */
export interface Acknowledgements {
  /** Tracks an event that is about to be sent; {@link collectInFlight} then acknowledges it. */
  track(event: UnacknowledgedEvent): void;
  /** Acknowledges tracked events. Does nothing for those whose next read is not due. */
  collectInFlight(): Promise<void>;
  /** Acknowledges these events now, and removes the consumers that have them from each `awaiting`. */
  collect(events: readonly UnacknowledgedEvent[]): Promise<void>;
}

export function collectAcknowledgements(deps: {
  pool: Pool;
  inboxes: PeerInboxes;
  acknowledged: Counter<'consumer'>;
}): Acknowledgements {
  const { pool, inboxes, acknowledged } = deps;
  const inFlight = new Map<string, InFlightEvent>();

  async function collectFrom(
    consumer: string,
    events: readonly UnacknowledgedEvent[],
  ): Promise<void> {
    for (let start = 0; start < events.length; start += INBOX_BATCH_SIZE) {
      const batch = events.slice(start, start + INBOX_BATCH_SIZE);
      const ids = batch.map((event) => event.id);
      const recorded = await inboxes.findRecorded(consumer, ids);
      // The consumer is overloaded or down: further requests would add to its load.
      if (!recorded) return;
      if (recorded.size === 0) continue;
      await acknowledgeEvents(pool, consumer, [...recorded]);
      acknowledged.inc({ consumer }, recorded.size);
      for (const event of batch) {
        if (recorded.has(event.id)) event.awaiting = event.awaiting.filter((c) => c !== consumer);
      }
    }
  }

  /** Reads the inboxes concurrently: a slow consumer does not delay the others' acknowledgements. */
  async function collect(events: readonly UnacknowledgedEvent[]): Promise<void> {
    const consumers = new Set(events.flatMap((event) => event.awaiting));
    await Promise.all(
      [...consumers].map((consumer) =>
        collectFrom(
          consumer,
          events.filter((event) => event.awaiting.includes(consumer)),
        ),
      ),
    );
  }

  return {
    track({ id, awaiting }) {
      // Above the limit events are not lost: they are collected when their lease runs out.
      if (inFlight.size >= MAX_IN_FLIGHT_EVENTS) return;
      const now = Date.now();
      inFlight.set(id, { id, awaiting, sentAt: now, nextReadAt: now + FIRST_READ_AFTER_MS });
    },

    async collectInFlight() {
      const now = Date.now();
      const ready = [...inFlight.values()].filter(({ nextReadAt }) => now >= nextReadAt);
      await collect(ready);
      for (const event of ready) {
        const age = now - event.sentAt;
        if (event.awaiting.length > 0 && age < MAX_IN_FLIGHT_MS) {
          event.nextReadAt = now + Math.max(FIRST_READ_AFTER_MS, age / 2);
        } else if (inFlight.get(event.id) === event) {
          inFlight.delete(event.id);
        }
      }
    },

    collect,
  };
}
