import { setTimeout as wait } from 'node:timers/promises';
import type { EventRecord } from './events.ts';
import type { SendEvents } from './send-events.ts';

const BATCH_SIZE = 500;
/** Pause between two batches. Each is a job for every consumer, which costs more than the events in it. */
const BATCH_INTERVAL_MS = 50;
/** Under load a batch fills up for longer: from 80 events a second on, a process sends half as many jobs. */
const LOADED_INTERVAL_MS = 100;
const LOADED_BATCH_SIZE = 4;
const MAX_FRESH_EVENTS = 20_000;

/** Events that this process has just committed, on their way to the queue. */
export interface FreshEvents {
  /** Above a limit the events are left to the outbox, which sends them when their lease runs out. */
  add(events: readonly EventRecord[]): void;
  /** Resolves when all added events are sent. */
  sent(): Promise<void>;
}

/** Sends fresh events in batches; without a pause between them once `stopping` is aborted. */
export function sendFreshEvents(send: SendEvents, stopping: AbortSignal): FreshEvents {
  const fresh: EventRecord[] = [];
  let sending: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    while (fresh.length > 0) {
      const batch = fresh.splice(0, BATCH_SIZE);
      const intervalMs = batch.length < LOADED_BATCH_SIZE ? BATCH_INTERVAL_MS : LOADED_INTERVAL_MS;
      const pause = stopping.aborted ? undefined : wait(intervalMs);
      await send(batch.map((event) => ({ event, attempt: 1 })));
      await pause;
    }
    sending = undefined;
  }

  return {
    add(events) {
      if (fresh.length < MAX_FRESH_EVENTS) fresh.push(...events);
      // With something to send, sendAll does not end before its promise is assigned here.
      if (sending === undefined && fresh.length > 0) sending = sendAll();
    },
    sent: async () => sending,
  };
}
