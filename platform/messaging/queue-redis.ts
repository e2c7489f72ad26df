import { createNodeRedisClient, createRedisBackend, type IRedisClient } from 'bullmq';
import { createClient, ErrorReply } from 'redis';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Logger } from '../observability/logger.ts';
import { PING_TIMEOUT_MS, type QueueServer, throttledWarnings } from './queue-server.ts';

const PING_EVERY_MS = 1_000;

/** Connects to Redis in the background, without a time limit. */
export function openRedis(url: string, logger: Logger): QueueServer {
  const client = createClient({
    url,
    // Sending fails at once while Redis is down; the outbox redelivers.
    disableOfflineQueue: true,
    socket: {
      // For the workers' own connections, which are copies of this one: a command blocks them for 5 s
      // at most, so a longer silence means a half-open connection. No pingInterval: a client that is
      // destroyed while it connects would never stop pinging.
      socketTimeout: 15_000,
      reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 2_000),
    },
  });
  client.on('error', throttledWarnings(logger, 'Redis is not reachable'));
  let connection: IRedisClient | undefined;
  const copies = new Set<IRedisClient>();
  const connected = client.connect().then(() => {
    // One adapter for all: BullMQ would create one for every queue and load all scripts through each.
    // Not before the client is connected: BullMQ's objects fail for good when their first command does.
    connection = createNodeRedisClient(client as never);
    connection.on('error', () => {});
    trackCopies(connection, copies);
  });
  // `ping` reports it.
  connected.catch(() => {});

  let pinging = false;
  // Every write postpones node-redis's own timeout, so it never expires on a half-open connection under
  // load; and node-redis has no timeout for a command that was written.
  const watch = setInterval(async () => {
    if (pinging || !client.isReady) return;
    pinging = true;
    const failed = await withTimeout(PING_TIMEOUT_MS, 'PING', client.ping()).catch(
      (error: Error) => error,
    );
    pinging = false;
    if (!(failed instanceof Error) || failed instanceof ErrorReply || !client.isReady) return;
    logger.warn({ err: failed }, 'Redis does not respond: the connection is replaced');
    // Rejects at once every command that waits for a response.
    client.destroy();
    client.connect().catch(() => {});
  }, PING_EVERY_MS);

  return {
    get options() {
      if (!connection) throw new Error('Redis was not reached yet');
      // The hash tag keeps a queue's keys on one node of a Redis Cluster.
      return { connection: connection as never, prefix: '{spacerent}' };
    },
    backend: createRedisBackend,
    isResponse: (error) => error instanceof ErrorReply,
    ping: async () =>
      void (await withTimeout(
        PING_TIMEOUT_MS,
        'PING',
        connected.then(() => client.ping()),
      )),
    async close() {
      clearInterval(watch);
      for (const copy of copies) {
        // A worker that was not closed cleanly during an outage would open this connection again.
        const { raw } = copy as unknown as { raw: Pick<typeof client, 'connect'> };
        raw.connect = () => Promise.reject(new Error('the queue is closed'));
        copy.disconnect();
      }
      client.destroy();
    },
  };
}

/**
 * Collects the connections that BullMQ copies from this one for its workers, so that all can be closed.
 * None is removed: one that BullMQ reports as ended may be connecting again.
 */
function trackCopies(connection: IRedisClient, copies: Set<IRedisClient>): void {
  const duplicate = connection.duplicate.bind(connection);
  connection.duplicate = (...options) => {
    const copy = duplicate(...options);
    // BullMQ removes its listener when it closes one; an error without a listener ends the process.
    copy.on('error', () => {});
    copies.add(copy);
    return copy;
  };
}
