import { setTimeout as wait } from 'node:timers/promises';
import { consumersOf, type Topology, topology } from '#contracts/topology.ts';
import type { Authorize } from '../auth/internal-tokens.ts';
import type { Pool } from '../database/postgres.ts';
import { repeat } from '../lifecycle/lifecycle.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import { type EventRecord, queueName } from './events.ts';
import { acknowledgeEvents, type ClaimedEvent, claimDueEvents, hasDueEvents } from './outbox.ts';
import { type PeerInboxes, peerInboxes } from './peer-inboxes.ts';
import type { Message, Transport } from './queue.ts';
import { relayMetrics } from './relay-metrics.ts';

const CLAIM_SIZE = 500;
const POLL_MS = 250;
const PACE_MS = 50;
const ASK_AFTER_MS = 250;
const INBOX_BATCH_SIZE = 1_000;
const REMEMBERED_EVENTS = 20_000;
const REMEMBERED_MS = 60_000;
/** Batches. What waits in a queue that is this long is not sent to it again. */
const LONG_QUEUE = 40;

/** Carries committed events from the outbox to every consumer, until each holds them durably. */
export interface Relay {
  /** Sends events that this process has just committed. Never fails: the outbox remains. */
  publish(events: readonly EventRecord[]): void;
  stop(): Promise<void>;
}

/** Of an event in flight only what asking for it needs: there may be very many. */
interface InFlight {
  id: string;
  awaiting: string[];
  sentAt: number;
  askAt: number;
}

/**
 * Starts the relay of one outbox. Three loops, none of which trusts another:
 * - fresh events go to the queue right after their commit (they are born leased to this process);
 * - events in flight: their consumers are asked which they hold, and those are acknowledged;
 * - due events, whose lease ran out unacknowledged: asked for, and what is not held is sent again,
 *   where its consumer answers and its queue is short: else a long outage would fill the queue with
 *   copies, and what is only late would be doubled.
 */
export function startRelay(deps: {
  pool: Pool;
  transport: Transport;
  authorize: Authorize;
  /** The addresses of the contexts that consume the events. */
  inboxUrls: Readonly<Record<string, string>>;
  /** The context whose outbox it is. */
  publisher: string;
  contexts?: Topology;
  metrics: Metrics;
  logger: Logger;
}): Relay {
  const { pool, transport, logger } = deps;
  const peers: PeerInboxes = peerInboxes(deps.inboxUrls, deps.authorize);
  const routes = toRoutes(deps.publisher, deps.contexts);
  const count = relayMetrics(pool, deps.metrics);
  const fresh: EventRecord[] = [];
  const inFlight = new Map<string, InFlight>();
  let stopping = false;
  let sending: Promise<void> | undefined;

  function remember({ event }: ClaimedEvent): void {
    // Beyond the bound the events still finish: the loop over due events asks for them.
    if (inFlight.size >= REMEMBERED_EVENTS) return;
    const now = Date.now();
    const { id, awaiting } = event;
    inFlight.set(id, { id, awaiting, sentAt: now, askAt: now + ASK_AFTER_MS });
  }

  async function send(claimed: readonly ClaimedEvent[], open?: readonly string[]): Promise<void> {
    const messages: Message[] = claimed.flatMap(({ event, attempt }) =>
      event.awaiting
        .map((consumer) => ({ queue: queueName(event.topic, consumer), event, attempt }))
        .filter(({ queue }) => open === undefined || open.includes(queue)),
    );
    claimed.forEach(remember);
    try {
      await transport.send(messages);
      for (const { queue, attempt } of messages) {
        count.sent.inc({ queue, again: attempt > 1 ? 'yes' : 'no' });
      }
    } catch (error) {
      logger.warn({ err: error, events: claimed.length }, 'events wait for the queue');
    }
  }

  async function sendFresh(): Promise<void> {
    while (fresh.length > 0) {
      const batch = fresh.splice(0, CLAIM_SIZE);
      // The first leaves at once; under load, what is committed in the next moment fills a batch.
      const pause = stopping ? undefined : wait(PACE_MS);
      await send(batch.map((event) => ({ event, attempt: 1 })));
      await pause;
    }
    sending = undefined;
  }

  /**
   * Asks every consumer that is awaited; takes what it holds off each `awaiting`. Each is asked in
   * its own time: one that is slow to answer holds back nobody else's acknowledgements.
   */
  async function collectAcknowledgements(
    events: readonly { id: string; awaiting: string[] }[],
  ): Promise<void> {
    const consumers = new Set(events.flatMap((event) => event.awaiting));
    await Promise.all(
      [...consumers].map(async (consumer) => {
        const asked = events.filter((event) => event.awaiting.includes(consumer));
        for (let start = 0; start < asked.length; start += INBOX_BATCH_SIZE) {
          const some = asked.slice(start, start + INBOX_BATCH_SIZE);
          const ids = some.map((event) => event.id);
          const held = await peers.held(consumer, ids);
          // Busy or down: the others' turn would only make it worse.
          if (!held) return;
          if (held.size === 0) continue;
          await acknowledgeEvents(pool, consumer, [...held]);
          count.acknowledged.inc({ consumer }, held.size);
          for (const event of some) {
            if (held.has(event.id)) event.awaiting = event.awaiting.filter((c) => c !== consumer);
          }
        }
      }),
    );
  }

  async function askInFlight(): Promise<void> {
    const now = Date.now();
    const ripe = [...inFlight.values()].filter(({ askAt }) => now >= askAt);
    await collectAcknowledgements(ripe);
    for (const flight of ripe) {
      const age = now - flight.sentAt;
      if (flight.awaiting.length > 0 && age < REMEMBERED_MS) {
        // The longer it has taken, the longer it may take.
        flight.askAt = now + Math.max(ASK_AFTER_MS, age / 2);
      } else if (inFlight.get(flight.id) === flight) {
        inFlight.delete(flight.id);
      }
    }
  }

  /** The queues that are short and whose consumer answers. */
  async function openQueues(): Promise<string[]> {
    const open = await Promise.all(
      [...routes].map(async ([consumer, queues]) => {
        if ((await peers.held(consumer, [])) === null) return [];
        const lengths = await Promise.all(queues.map((queue) => transport.waiting(queue)));
        return queues.filter((_, index) => (lengths[index] ?? 0) < LONG_QUEUE);
      }),
    );
    return open.flat();
  }

  async function sendDue(): Promise<void> {
    while (!stopping && (await hasDueEvents(pool))) {
      const open = await openQueues();
      if (open.length === 0) return;
      const claimed = await claimDueEvents(pool, CLAIM_SIZE, open);
      await collectAcknowledgements(claimed.map(({ event }) => event));
      const missing = claimed.filter(({ event }) =>
        event.awaiting.some((consumer) => open.includes(queueName(event.topic, consumer))),
      );
      if (missing.length > 0) {
        logger.info({ events: missing.length }, 'events are sent again');
        await send(missing, open);
      }
      if (claimed.length < CLAIM_SIZE) return;
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

/** The queues of each consumer of a context's events. */
function toRoutes(publisher: string, contexts: Topology = topology): Map<string, string[]> {
  const routes = new Map<string, string[]>();
  for (const [type, { topic }] of Object.entries(contexts[publisher]?.publishes ?? {})) {
    for (const consumer of consumersOf(type, contexts)) {
      const queues = new Set(routes.get(consumer)).add(queueName(topic, consumer));
      routes.set(consumer, [...queues]);
    }
  }
  return routes;
}
