import { setTimeout as wait } from 'node:timers/promises';
import type { ContextName, EventRecord } from './events.ts';
import { queueName } from './events.ts';
import { repeat } from './lifecycle.ts';
import type { Logger } from './logger.ts';
import {
  acknowledgeEvents,
  type ClaimedEvent,
  claimDueEvents,
  FIRST_LEASE_SECONDS,
} from './outbox.ts';
import { type PeerInboxes, peerInboxes } from './peer-inboxes.ts';
import type { Pool } from './postgres.ts';
import type { Message, Transport } from './queue.ts';

const CLAIM_SIZE = 500;
const POLL_MS = 1_000;
const PACE_MS = 50;
const ASK_AFTER_MS = 250;
const REMEMBERED_EVENTS = 20_000;

/** Carries committed events from the outbox to every consumer, until each holds them durably. */
export interface Relay {
  /** Sends events that this process has just committed. Never fails: the outbox remains. */
  publish(events: readonly EventRecord[]): void;
  stop(): Promise<void>;
}

interface InFlight {
  event: EventRecord;
  sentAt: number;
}

/**
 * Starts the relay of one outbox. Three loops, none of which trusts another:
 * - fresh events go to the queue right after their commit (they are born leased to this process);
 * - events in flight: their consumers are asked which they hold, and those are acknowledged;
 * - due events, whose lease ran out unacknowledged: asked for, and what is not held is sent again.
 */
export function startRelay(deps: {
  pool: Pool;
  transport: Transport;
  inboxUrls: Partial<Record<ContextName, string>>;
  logger: Logger;
}): Relay {
  const { pool, transport, logger } = deps;
  const peers: PeerInboxes = peerInboxes(deps.inboxUrls);
  const fresh: EventRecord[] = [];
  const inFlight = new Map<string, InFlight>();
  let stopping = false;
  let sending: Promise<void> | undefined;

  function remember({ event }: ClaimedEvent): void {
    // Beyond the bound the events still finish: the loop over due events asks for them.
    if (inFlight.size < REMEMBERED_EVENTS) inFlight.set(event.id, { event, sentAt: Date.now() });
  }

  async function send(claimed: readonly ClaimedEvent[]): Promise<void> {
    const messages: Message[] = claimed.flatMap(({ event, attempt }) =>
      event.awaiting.map((consumer) => ({
        queue: queueName(event.topic, consumer),
        event,
        attempt,
      })),
    );
    claimed.forEach(remember);
    try {
      await transport.send(messages);
    } catch (error) {
      logger.warn({ err: error, events: claimed.length }, 'events wait for the queue');
    }
  }

  async function sendFresh(): Promise<void> {
    while (fresh.length > 0) {
      const batch = fresh.splice(0, CLAIM_SIZE);
      // The first leaves at once; under load, what is committed in the next moment fills a parcel.
      const pause = stopping ? undefined : wait(PACE_MS);
      await send(batch.map((event) => ({ event, attempt: 1 })));
      await pause;
    }
    sending = undefined;
  }

  /** Asks every consumer that is awaited; takes what it holds off `event.awaiting`. */
  async function collectAcknowledgements(events: readonly EventRecord[]): Promise<void> {
    const consumers = new Set(events.flatMap((event) => event.awaiting));
    await Promise.all(
      [...consumers].map(async (consumer) => {
        const asked = events.filter((event) => event.awaiting.includes(consumer));
        const held = await peers.held(
          consumer,
          asked.map((event) => event.id),
        );
        if (held.size === 0) return;
        await acknowledgeEvents(pool, consumer, [...held]);
        for (const event of asked) {
          if (held.has(event.id)) event.awaiting = event.awaiting.filter((c) => c !== consumer);
        }
      }),
    );
  }

  async function askInFlight(): Promise<void> {
    const now = Date.now();
    const ripe = [...inFlight.values()].filter((flight) => now - flight.sentAt >= ASK_AFTER_MS);
    for (let start = 0; start < ripe.length; start += CLAIM_SIZE) {
      const asked = ripe.slice(start, start + CLAIM_SIZE);
      await collectAcknowledgements(asked.map((flight) => flight.event));
      for (const { event, sentAt } of asked) {
        const leaseOver = now - sentAt > FIRST_LEASE_SECONDS * 1_000;
        if (event.awaiting.length === 0 || leaseOver) inFlight.delete(event.id);
      }
    }
  }

  async function sendDue(): Promise<void> {
    for (;;) {
      const claimed = await claimDueEvents(pool, CLAIM_SIZE);
      if (claimed.length === 0) return;
      await collectAcknowledgements(claimed.map(({ event }) => event));
      const missing = claimed.filter(({ event }) => event.awaiting.length > 0);
      if (missing.length > 0) {
        logger.info({ events: missing.length }, 'events are sent again');
        await send(missing);
      }
      if (claimed.length < CLAIM_SIZE || stopping) return;
    }
  }

  const stops = [
    repeat(logger, 'collecting acknowledgements', ASK_AFTER_MS, askInFlight),
    repeat(logger, 'sending due events', POLL_MS, sendDue),
  ];

  return {
    publish(events) {
      if (fresh.length < REMEMBERED_EVENTS) fresh.push(...events);
      // With something to send, sendFresh does not end before its promise is kept here.
      if (sending === undefined && fresh.length > 0) sending = sendFresh();
    },
    async stop() {
      stopping = true;
      await sending;
      await Promise.all(stops.map((stop) => stop()));
      await peers.close();
    },
  };
}
