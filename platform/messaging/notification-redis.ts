import { createClient } from 'redis';
import type { Logger } from '../observability/logger.ts';
import type { RedisClient } from '../redis/movable-client.ts';
import { redisNodes } from '../redis/redis-nodes.ts';
import type { NotificationServer } from './notification-connection.ts';

/**
 * Notifications by PUBLISH and SUBSCRIBE. A Redis Cluster passes them on to all of its nodes, so any will do;
 * sharded channels would bind each to one node, and need Redis 7.
 */
export function notificationRedis(setting: string, logger: Logger): NotificationServer {
  const nodes = redisNodes(setting, logger);
  let attempts = 0;
  return {
    async connect(channel) {
      // Each attempt takes the next node: the one before is down, or does not respond.
      const urls = nodes.urls();
      const url = urls[attempts % urls.length] as string;
      attempts += 1;
      const client = createClient({
        url,
        disableOfflineQueue: true,
        // The publisher or subscriber opens a new connection.
        socket: { reconnectStrategy: false, connectTimeout: 3_000 },
      }) as RedisClient;
      const ended = new Promise<void>((resolve) => {
        client.once('end', resolve);
        client.on('error', () => resolve());
      });
      await client.connect();
      // Without the other nodes it tries this one again.
      nodes.learn(client, url).catch(() => {});
      return {
        publish: (text) => client.publish(channel, text),
        listen: (onMessage) => client.subscribe(channel, (text) => onMessage(text)),
        ping: () => client.ping(),
        ended,
        close: () => client.destroy(),
      };
    },
  };
}
