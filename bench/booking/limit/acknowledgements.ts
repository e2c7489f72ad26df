import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from '#platform/database/postgres.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import { acknowledgeEvents } from '#platform/messaging/outbox.ts';

const ASK_EVERY_MS = 250;

/** As the relay of one outbox does: asks the consumers together for the events of a while. */
export function collectAcknowledgements(
  outbox: Pool,
  held: Record<string, (ids: readonly string[]) => Promise<string[]>>,
) {
  let events: EventRecord[] = [];
  let stopping = false;

  async function collect(): Promise<void> {
    const asked = events;
    events = [];
    const consumers = new Set(asked.flatMap((event) => event.awaiting));
    for (const consumer of consumers) {
      const ids = asked.filter((event) => event.awaiting.includes(consumer)).map(({ id }) => id);
      const taken = (await held[consumer]?.(ids)) ?? [];
      if (taken.length > 0) await acknowledgeEvents(outbox, consumer, taken);
      const acknowledged = new Set(taken);
      for (const event of asked) {
        if (!acknowledged.has(event.id)) continue;
        event.awaiting = event.awaiting.filter((each) => each !== consumer);
      }
    }
    events.push(...asked.filter((event) => event.awaiting.length > 0));
  }

  const collecting = (async () => {
    while (!stopping) {
      await wait(ASK_EVERY_MS);
      await collect();
    }
  })();
  // stop() tells of a failure.
  collecting.catch(() => {});

  return {
    committed: (event: EventRecord) => void events.push(event),
    /** Collects what is left and resolves with the number of events that nobody took. */
    async stop(): Promise<number> {
      stopping = true;
      await collecting;
      await collect();
      return events.length;
    },
  };
}
