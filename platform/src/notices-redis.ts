import { createClient } from 'redis';
import type { NoticeConnection } from './notice-connection.ts';

/** Notices by PUBLISH and SUBSCRIBE. */
export async function connectToRedis(url: string, channel: string): Promise<NoticeConnection> {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    // Whoever holds the connection opens another one.
    socket: { reconnectStrategy: false, connectTimeout: 3_000 },
  });
  const ended = new Promise<void>((resolve) => {
    client.once('end', resolve);
    client.on('error', () => resolve());
  });
  await client.connect();
  return {
    publish: (text) => client.publish(channel, text),
    listen: (heard) => client.subscribe(channel, (text) => heard(text)),
    ping: () => client.ping(),
    ended,
    close: () => client.destroy(),
  };
}
