import { createClient } from 'redis';
import type { NotificationConnection } from './notification-connection.ts';

/** Notifications by PUBLISH and SUBSCRIBE. */
export async function connectToRedis(
  url: string,
  channel: string,
): Promise<NotificationConnection> {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    // The publisher or subscriber opens a new connection.
    socket: { reconnectStrategy: false, connectTimeout: 3_000 },
  });
  const ended = new Promise<void>((resolve) => {
    client.once('end', resolve);
    client.on('error', () => resolve());
  });
  await client.connect();
  return {
    publish: (text) => client.publish(channel, text),
    listen: (onMessage) => client.subscribe(channel, (text) => onMessage(text)),
    ping: () => client.ping(),
    ended,
    close: () => client.destroy(),
  };
}
