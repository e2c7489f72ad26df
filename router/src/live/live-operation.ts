import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Payload } from './payload.ts';

/** What subscriptions deliver: a later state of one thing has a higher version. */
export interface Versioned {
  version: number;
}

/** A version of a view, and the operation's payload for it. */
export interface Delivery<Version extends Versioned> {
  version: Version;
  payload: Payload;
}

export interface OperationSubscriber<Version extends Versioned> {
  /** Receives versions in order; several when they come at once. */
  deliver(deliveries: readonly Delivery<Version>[]): void;
}

interface Broadcast<Version> {
  version: Version;
  isReset: boolean;
  /** The sequence number of this broadcast. */
  number: number;
  payload: Promise<Payload>;
}

interface Subscription<Version extends Versioned> {
  subscriber: OperationSubscriber<Version>;
  /** The last version delivered; undefined for a customer's subscription, which spans many bookings. */
  version: number | undefined;
  /** The last broadcast that the catch-up covers; undefined while the catch-up is running. */
  caughtUpAt: number | undefined;
  /** What was broadcast during the catch-up. */
  missed: Version[];
}

/** Payloads in the cache, for subscribers that catch up. */
const PAYLOAD_CACHE_SIZE = 16;
/** Subscribers served before other work of the process gets its turn. */
const SEND_BATCH_SIZE = 500;

/**
 * One operation that any number of clients with the same variables and principal subscribe to: for each
 * version of a view it is executed once, serialised once, and delivered to all of them in order.
 */
export class LiveOperation<Version extends Versioned> {
  readonly #execute: (version: Version) => Promise<Payload>;
  readonly #toTopic: (version: Version) => string;
  readonly #subscriptions = new Map<OperationSubscriber<Version>, Subscription<Version>>();
  readonly #payloads = new Map<string, Promise<Payload>>();
  #broadcasts = 0;
  #pending: Broadcast<Version>[] = [];
  #isSending = false;

  /** `execute` never rejects. Versions are counted within each topic. */
  constructor(
    execute: (version: Version) => Promise<Payload>,
    toTopic: (version: Version) => string,
  ) {
    this.#execute = execute;
    this.#toTopic = toTopic;
  }

  get isEmpty(): boolean {
    return this.#subscriptions.size === 0;
  }

  /** From now on no version is lost for the subscriber; delivery starts with {@link catchUp}. */
  join(subscriber: OperationSubscriber<Version>): void {
    this.#subscriptions.set(subscriber, {
      subscriber,
      version: undefined,
      caughtUpAt: undefined,
      missed: [],
    });
  }

  leave(subscriber: OperationSubscriber<Version>): void {
    this.#subscriptions.delete(subscriber);
  }

  /**
   * Delivers these versions, then what was broadcast meanwhile; later ones arrive by broadcast. `delivered`
   * is the version that the subscriber has already.
   */
  async catchUp(
    subscriber: OperationSubscriber<Version>,
    versions: readonly Version[],
    delivered?: number,
  ): Promise<void> {
    const subscription = this.#subscriptions.get(subscriber);
    if (!subscription) return;
    subscription.version = delivered;
    // Broadcasts can have been missed even when there was nothing to read.
    const undelivered = [...versions, ...subscription.missed.splice(0)];
    for (let next = undelivered; next.length > 0; next = subscription.missed.splice(0)) {
      for (const version of next) {
        if (isDelivered(subscription, version)) continue;
        const payload = await this.#payload(version);
        if (!this.#subscriptions.has(subscriber)) return;
        subscription.version = version.version;
        subscriber.deliver([{ version, payload }]);
      }
    }
    subscription.caughtUpAt = this.#broadcasts;
  }

  /** Delivers to all subscribers; with `isReset` also to those that have a higher version. */
  broadcast(version: Version, isReset: boolean): void {
    this.#broadcasts += 1;
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.caughtUpAt === undefined) subscription.missed.push(version);
    }
    const payload = this.#payload(version);
    this.#pending.push({ version, isReset, number: this.#broadcasts, payload });
    if (!this.#isSending) void this.#sendPending();
  }

  /** One delivery for each subscriber, with all pending versions: a write costs more than its bytes. */
  async #sendPending(): Promise<void> {
    this.#isSending = true;
    while (this.#pending.length > 0) {
      await this.#pending[0]?.payload;
      const broadcasts = this.#pending.splice(0);
      const ready = await Promise.all(
        broadcasts.map(async (each) => ({ ...each, payload: await each.payload })),
      );
      let count = 0;
      for (const subscription of this.#subscriptions.values()) {
        const deliveries = ready.filter((each) => claimDelivery(subscription, each));
        if (deliveries.length > 0) subscription.subscriber.deliver(deliveries);
        count += 1;
        if (count % SEND_BATCH_SIZE === 0) await nextTurn();
      }
    }
    this.#isSending = false;
  }

  #payload(version: Version): Promise<Payload> {
    const key = `${this.#toTopic(version)} ${version.version}`;
    const cached = this.#payloads.get(key);
    if (cached) return cached;
    const payload = this.#execute(version);
    this.#payloads.set(key, payload);
    const [oldest] = this.#payloads.keys();
    if (this.#payloads.size > PAYLOAD_CACHE_SIZE && oldest) this.#payloads.delete(oldest);
    return payload;
  }
}

/** Whether the subscriber needs the broadcast; if so, counts it as delivered. */
function claimDelivery<Version extends Versioned>(
  subscription: Subscription<Version>,
  { version, isReset, number }: Omit<Broadcast<Version>, 'payload'>,
): boolean {
  if (subscription.caughtUpAt === undefined || subscription.caughtUpAt >= number) return false;
  if (!isReset && isDelivered(subscription, version)) return false;
  if (subscription.version !== undefined) subscription.version = version.version;
  return true;
}

function isDelivered<Version extends Versioned>(
  { version }: Subscription<Version>,
  { version: broadcast }: Version,
): boolean {
  return version !== undefined && broadcast <= version;
}
