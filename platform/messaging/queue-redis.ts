import { createNodeRedisClient, createRedisBackend, type IRedisClient } from 'bullmq';
import { createClient, ErrorReply } from 'redis';
import type { Logger } from '../observability/logger.ts';
import { PING_MS, type QueueServer, sparingWarnings, within } from './queue-server.ts';

const ASK_EVERY_MS = 1_000;

/** Connects to Redis in the background, for as long as it takes. */
export function openRedis(url: string, logger: Logger): QueueServer {
  const client = createClient({
    url,
    // Sending fails at once while Redis is away; the outbox sends again.
    disableOfflineQueue: true,
    socket: {
      // For the workers' own connections, which are copies of this one: a command blocks them for 5 s
      // at most, so longer silence means that nobody is there any more. No pingInterval: a client
      // that is destroyed while it connects would go on pinging for ever.
      socketTimeout: 15_000,
      reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 2_000),
    },
  });
  client.on('error', sparingWarnings(logger, 'Redis is not reachable'));
  let connection: IRedisClient | undefined;
  const copies = new Set<IRedisClient>();
  const connected = client.connect().then(() => {
    // One adapter for all: BullMQ would make one for every queue and load all scripts through each.
    // Not before the client is connected: whatever BullMQ begins with it then has a first contact.
    connection = createNodeRedisClient(client as never);
    connection.on('error', () => {});
    rememberCopies(connection, copies);
  });
  // Whoever needs it learns by the ping.
  connected.catch(() => {});

  let asking = false;
  // Every write postpones node-redis's own time-out, so with a half-open connection under load it
  // never comes; and it knows no time-out for a command that was written.
  const watch = setInterval(async () => {
    if (asking || !client.isReady) return;
    asking = true;
    const failed = await within(PING_MS, 'PING', client.ping()).catch((error: Error) => error);
    asking = false;
    if (!(failed instanceof Error) || failed instanceof ErrorReply || !client.isReady) return;
    logger.warn({ err: failed }, 'Redis does not answer: the connection is opened anew');
    // Whatever waits for an answer is rejected by this, at once.
    client.destroy();
    client.connect().catch(() => {});
  }, ASK_EVERY_MS);

  return {
    get options() {
      if (!connection) throw new Error('Redis was not reached yet');
      // The hash tag keeps a queue's keys on one node of a Redis Cluster.
      return { connection: connection as never, prefix: '{spacerent}' };
    },
    backend: createRedisBackend,
    isAnswer: (error) => error instanceof ErrorReply,
    ping: async () =>
      void (await within(
        PING_MS,
        'PING',
        connected.then(() => client.ping()),
      )),
    async close() {
      clearInterval(watch);
      for (const copy of copies) {
        // A worker that was left during an outage, and waits for this connection, would open it again.
        const { raw } = copy as unknown as { raw: Pick<typeof client, 'connect'> };
        raw.connect = () => Promise.reject(new Error('the queue is closed'));
        copy.disconnect();
      }
      client.destroy();
    },
  };
}

/**
 * The connections that BullMQ copies from this one for its workers, so that none is left open. None
 * is forgotten: one that BullMQ calls ended may be connecting again.
 */
function rememberCopies(connection: IRedisClient, copies: Set<IRedisClient>): void {
  const duplicate = connection.duplicate.bind(connection);
  connection.duplicate = (...options) => {
    const copy = duplicate(...options);
    // BullMQ stops listening when it closes one, and an error that nobody hears ends the process.
    copy.on('error', () => {});
    copies.add(copy);
    return copy;
  };
}
