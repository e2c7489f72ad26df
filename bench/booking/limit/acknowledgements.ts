import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from '#platform/database/postgres.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import { acknowledgeEvents } from '#platform/messaging/outbox.ts';

const POLL_MS = 250;

/** As the relay of one outbox does: requests the acknowledgements of a period's events in batches. */
export function collectAcknowledgements(
  outbox: Pool,
  inboxes: Record<string, (ids: readonly string[]) => Promise<string[]>>,
) {
  let events: EventRecord[] = [];
  let stopping = false;

  async function collect(): Promise<void> {
    const batch = events;
    events = [];
    const consumers = new Set(batch.flatMap((event) => event.awaiting));
    for (const consumer of consumers) {
      const ids = batch.filter((event) => event.awaiting.includes(consumer)).map(({ id }) => id);
      const processed = (await inboxes[consumer]?.(ids)) ?? [];
      if (processed.length > 0) await acknowledgeEvents(outbox, consumer, processed);
      const acknowledged = new Set(processed);
      for (const event of batch) {
        if (!acknowledged.has(event.id)) continue;
        event.awaiting = event.awaiting.filter((each) => each !== consumer);
      }
    }
    events.push(...batch.filter((event) => event.awaiting.length > 0));
  }

  const collecting = (async () => {
    while (!stopping) {
      await wait(POLL_MS);
      await collect();
    }
  })();
  // stop() rethrows a failure.
  collecting.catch(() => {});

  return {
    committed: (event: EventRecord) => void events.push(event),
    /** Collects what is left and resolves with the number of events that lack an acknowledgement. */
    async stop(): Promise<number> {
      stopping = true;
      await collecting;
      await collect();
      return events.length;
    },
  };
}
