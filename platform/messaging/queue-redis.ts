import { createNodeRedisClient, createRedisBackend, type IRedisClient } from 'bullmq';
import { ErrorReply } from 'redis';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Logger } from '../observability/logger.ts';
import { redisNodes } from '../redis/redis-nodes.ts';
import { openSlotClient, type SlotClient } from '../redis/slot-client.ts';
import { PING_TIMEOUT_MS, type QueueServer } from './queue-server.ts';

/** The connection that some queues share, and the prefix of their keys. */
interface QueueConnection {
  slot: SlotClient;
  prefix: string;
  /** BullMQ's view of the connection, once that is open. */
  adapter?: IRedisClient;
}

/** Connects to Redis or a Redis Cluster in the background, without a time limit. */
export function openRedis(setting: string, logger: Logger): QueueServer {
  const nodes = redisNodes(setting, logger);
  const open = (prefix: string): QueueConnection => ({
    slot: openSlotClient({ nodes, key: `${prefix}:owner`, logger }),
    prefix,
  });
  const shared = open('{spacerent}');
  const ofQueues = new Map<string, QueueConnection>();
  let isClosed = false;

  /**
   * A server has one connection for all queues. On a cluster each queue has a hash tag, so that they are
   * spread over the nodes, and a connection, because each may be on another node.
   */
  async function connectionOf(queue: string): Promise<QueueConnection> {
    const isCluster = await shared.slot.isCluster;
    if (isClosed) throw new Error('the queue is closed');
    const ownTag = `{spacerent:${queue}}`;
    const connection = ofQueues.get(queue) ?? (isCluster ? open(ownTag) : shared);
    ofQueues.set(queue, connection);
    return connection;
  }

  return {
    options(queue) {
      const connection = ofQueues.get(queue);
      if (!connection) throw new Error('Redis was not reached yet');
      const { prefix } = connection;
      // One adapter for all: BullMQ would create one for every queue and load all scripts through each.
      // Not before the client is connected: BullMQ's objects fail for good when their first command does.
      connection.adapter ??= adapt(connection.slot);
      return { connection: connection.adapter as never, prefix };
    },
    backend: createRedisBackend,
    isResponse: (error) => error instanceof ErrorReply,
    async ping(queue) {
      if (queue === undefined) {
        const used = new Set([shared, ...ofQueues.values()]);
        await Promise.all([...used].map(({ slot }) => slot.ping()));
        return;
      }
      const reached = connectionOf(queue).then(({ slot }) => slot.ping());
      await withTimeout(PING_TIMEOUT_MS, 'PING', reached);
    },
    async close() {
      isClosed = true;
      for (const { slot } of new Set([shared, ...ofQueues.values()])) slot.close();
      nodes.close();
    },
  };
}

function adapt({ client }: SlotClient): IRedisClient {
  const adapter = createNodeRedisClient(client as never);
  const duplicate = adapter.duplicate.bind(adapter);
  adapter.on('error', () => {});
  adapter.duplicate = (...options) => {
    const copy = duplicate(...options);
    // BullMQ removes its listener when it closes one; an error without a listener ends the process.
    copy.on('error', () => {});
    return copy;
  };
  return adapter;
}
