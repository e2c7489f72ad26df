import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError } from '../config/settings.ts';
import type { Logger } from '../observability/logger.ts';
import { type Metrics, showConnection } from '../observability/metrics.ts';
import type { NotificationConnection } from './notification-connection.ts';
import { connectToPostgres } from './notifications-postgres.ts';
import { connectToRedis } from './notifications-redis.ts';
import { sparingWarnings, within } from './queue-server.ts';

/**
 * Notifications say to every subscribed process, at once, that something is new. They may get lost: a
 * subscriber that must miss nothing polls as well, also whenever {@link Subscriber.onConnected} is called.
 */
export interface Publisher {
  /** Sends the text, at most 7,900 bytes, to all subscribers, within a moment or not at all. */
  publish(text: string): void;
  close(): Promise<void>;
}

export interface Subscriber {
  onMessage(text: string): void;
  /** From now on notifications arrive; earlier ones may have been missed. */
  onConnected(): void;
}

/** One of the two is set; Redis takes precedence. */
interface Settings {
  REDIS_URL?: string | undefined;
  QUEUE_DATABASE_URL?: string | undefined;
}

const ANSWER_MS = 3_000;
const PING_MS = 1_000;
const MIN_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;
/** Drop notifications beyond this queue length; subscribers recover by polling. */
const MAX_WAITING = 1_000;

function requireServer({ REDIS_URL, QUEUE_DATABASE_URL }: Settings): void {
  if (REDIS_URL || QUEUE_DATABASE_URL) return;
  throw new ConfigError('Set REDIS_URL or QUEUE_DATABASE_URL: notifications need one of them.');
}

async function connect(env: Settings, channel: string): Promise<NotificationConnection> {
  const connecting = env.REDIS_URL
    ? connectToRedis(env.REDIS_URL, channel)
    : connectToPostgres(String(env.QUEUE_DATABASE_URL), channel);
  try {
    return await within(ANSWER_MS, 'connecting', connecting);
  } catch (error) {
    // One that comes too late is of no use to anybody.
    connecting.then((late) => late.close()).catch(() => {});
    throw error;
  }
}

/**
 * Publishes on a channel; a lost connection is opened again with the next notification. Throws ConfigError
 * when the settings name no server.
 */
export function openPublisher(
  env: Settings,
  channel: string,
  logger: Logger,
  metrics?: Metrics,
): Publisher {
  requireServer(env);
  const warn = sparingWarnings(logger, 'a notification was not published', { channel });
  let connection: Promise<NotificationConnection> | undefined;
  let waiting: string[] = [];
  let publishing = false;

  function open(): Promise<NotificationConnection> {
    const opening = connect(env, channel);
    const forget = () => {
      if (connection === opening) connection = undefined;
    };
    opening.then(({ ended }) => ended.then(forget), forget);
    return opening;
  }

  async function send(text: string): Promise<void> {
    connection ??= open();
    const opened = await connection;
    try {
      await within(ANSWER_MS, 'publishing', opened.publish(text));
    } catch (error) {
      opened.close();
      throw error;
    }
  }

  if (metrics) {
    // A connection that nothing was published on yet is opened: else it would look like an outage.
    showConnection(metrics, 'notifications', async () => {
      connection ??= open();
      const ping = connection.then((opened) => opened.ping());
      return within(PING_MS, 'PING', ping).then(
        () => true,
        () => false,
      );
    });
  }

  async function publishWaiting(): Promise<void> {
    publishing = true;
    try {
      for (let text = waiting.shift(); text !== undefined; text = waiting.shift()) await send(text);
    } catch (error) {
      // Nobody would hear the others either.
      waiting = [];
      warn(error);
    }
    publishing = false;
  }

  return {
    publish(text) {
      if (waiting.length >= MAX_WAITING) return;
      waiting.push(text);
      if (!publishing) void publishWaiting();
    },
    async close() {
      waiting = [];
      await connection?.then((opened) => opened.close()).catch(() => {});
    },
  };
}

/** Listens on a channel through every outage, until it is closed; throws ConfigError like the above. */
export function subscribeToNotifications(
  env: Settings,
  channel: string,
  subscriber: Subscriber,
  logger: Logger,
): { isConnected(): boolean; close(): Promise<void> } {
  requireServer(env);
  const warn = sparingWarnings(logger, 'notifications do not arrive', { channel });
  const stop = new AbortController();
  let isListening = false;

  async function listenOnce(connected: () => void): Promise<void> {
    const connection = await connect(env, channel);
    let lost = false;
    const ended = connection.ended.then(() => {
      lost = true;
    });
    const close = () => connection.close();
    stop.signal.addEventListener('abort', close, { once: true });
    try {
      stop.signal.throwIfAborted();
      await within(ANSWER_MS, 'listening', connection.listen(subscriber.onMessage));
      isListening = true;
      connected();
      // A half-open connection says nothing, for ever: only asking tells.
      while (!lost) {
        await Promise.race([ended, pause(PING_MS)]);
        if (!lost) await within(ANSWER_MS, 'PING', connection.ping());
      }
    } finally {
      isListening = false;
      stop.signal.removeEventListener('abort', close);
      connection.close();
    }
    throw new Error('the connection was lost');
  }

  async function listen(): Promise<void> {
    let wait = MIN_PAUSE_MS;
    while (!stop.signal.aborted) {
      try {
        await listenOnce(() => {
          wait = MIN_PAUSE_MS;
          subscriber.onConnected();
        });
      } catch (error) {
        if (stop.signal.aborted) return;
        warn(error);
      }
      await pause(wait, undefined, { signal: stop.signal }).catch(() => {});
      wait = Math.min(wait * 2, MAX_PAUSE_MS);
    }
  }

  const listening = listen();
  return {
    isConnected: () => isListening,
    async close() {
      stop.abort();
      await listening;
    },
  };
}
