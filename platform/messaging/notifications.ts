import { setTimeout as pause } from 'node:timers/promises';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Logger } from '../observability/logger.ts';
import { type Metrics, showConnection } from '../observability/metrics.ts';
import { throttledWarnings } from '../observability/throttled-warnings.ts';
import type { NotificationConnection, NotificationServer } from './notification-connection.ts';
import {
  type NotificationSettings,
  notificationServer,
  RESPONSE_TIMEOUT_MS,
} from './notification-server.ts';

/**
 * Notifications inform every subscribed process, at once, that something is new. They may get lost: a
 * subscriber that must miss nothing also polls, and does so whenever {@link Subscriber.onConnected} is called.
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

const PING_EVERY_MS = 1_000;
const PING_TIMEOUT_MS = 1_000;
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;
/** Drop notifications beyond this queue length; subscribers recover by polling. */
const MAX_WAITING = 1_000;

/** Makes the function that returns the open connection, or opens one where there is none. */
function sharedConnection(server: NotificationServer, channel: string) {
  let connection: Promise<NotificationConnection> | undefined;

  function open(): Promise<NotificationConnection> {
    const opening = server.connect(channel);
    const discard = () => {
      if (connection === opening) connection = undefined;
    };
    opening.then(({ ended }) => ended.then(discard), discard);
    return opening;
  }

  return {
    get(): Promise<NotificationConnection> {
      connection ??= open();
      return connection;
    },
    async close(): Promise<void> {
      await connection?.then((opened) => opened.close()).catch(() => {});
    },
  };
}

/**
 * Publishes on a channel; a lost connection is opened again with the next notification. Throws ConfigError
 * when the settings name no server.
 */
export function openPublisher(
  env: NotificationSettings,
  channel: string,
  logger: Logger,
  metrics?: Metrics,
): Publisher {
  const server = notificationServer(env, logger);
  const warn = throttledWarnings(logger, 'a notification was not published', { channel });
  const connection = sharedConnection(server, channel);
  let waiting: string[] = [];
  let publishing = false;

  async function send(text: string): Promise<void> {
    const opened = await connection.get();
    try {
      await withTimeout(RESPONSE_TIMEOUT_MS, 'publishing', opened.publish(text));
    } catch (error) {
      opened.close();
      throw error;
    }
  }

  if (metrics) {
    // Opens a connection where nothing was published yet: else it would look like an outage.
    showConnection(metrics, 'notifications', async () => {
      const ping = connection.get().then((opened) => opened.ping());
      return withTimeout(PING_TIMEOUT_MS, 'PING', ping).then(
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
      // The others would fail in the same way.
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
      await connection.close();
    },
  };
}

/** Listens on a channel through every outage, until it is closed; throws ConfigError like the above. */
export function subscribeToNotifications(
  env: NotificationSettings,
  channel: string,
  subscriber: Subscriber,
  logger: Logger,
): { isConnected(): boolean; close(): Promise<void> } {
  const server = notificationServer(env, logger);
  const warn = throttledWarnings(logger, 'notifications do not arrive', { channel });
  const stop = new AbortController();
  let isListening = false;

  async function listenOnce(onConnected: () => void): Promise<void> {
    const connection = await server.connect(channel);
    const close = () => connection.close();
    stop.signal.addEventListener('abort', close, { once: true });
    try {
      stop.signal.throwIfAborted();
      await withTimeout(RESPONSE_TIMEOUT_MS, 'listening', connection.listen(subscriber.onMessage));
      isListening = true;
      onConnected();
      await pingUntilLost(connection);
    } finally {
      isListening = false;
      stop.signal.removeEventListener('abort', close);
      connection.close();
    }
    throw new Error('the connection was lost');
  }

  async function listen(): Promise<void> {
    let retryMs = MIN_RETRY_MS;
    while (!stop.signal.aborted) {
      try {
        await listenOnce(() => {
          retryMs = MIN_RETRY_MS;
          subscriber.onConnected();
        });
      } catch (error) {
        if (stop.signal.aborted) return;
        warn(error);
      }
      await pause(retryMs, undefined, { signal: stop.signal }).catch(() => {});
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
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

/** Rejects when a ping gets no response: a half-open connection is noticed only by sending. */
async function pingUntilLost(connection: NotificationConnection): Promise<void> {
  let lost = false;
  const ended = connection.ended.then(() => {
    lost = true;
  });
  while (!lost) {
    await Promise.race([ended, pause(PING_EVERY_MS)]);
    if (!lost) await withTimeout(RESPONSE_TIMEOUT_MS, 'PING', connection.ping());
  }
}
