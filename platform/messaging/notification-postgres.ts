import pg from 'pg';
import type { NotificationConnection } from './notification-connection.ts';

/** Notifications by LISTEN and NOTIFY; a notification has at most 7,999 bytes. */
export async function connectToPostgres(
  url: string,
  channel: string,
): Promise<NotificationConnection> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 3_000,
    keepAlive: true,
    // It writes nothing: notifications need no durable commit.
    options: '-c synchronous_commit=off',
  });
  const ended = new Promise<void>((resolve) => {
    client.once('end', resolve);
    client.on('error', () => resolve());
  });
  await client.connect();
  return {
    publish: (text) =>
      client.query({ name: 'notify', text: 'SELECT pg_notify($1, $2)', values: [channel, text] }),
    async listen(onMessage) {
      client.on('notification', ({ payload }) => onMessage(payload ?? ''));
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    },
    ping: () => client.query('SELECT 1'),
    ended,
    close() {
      client.end().catch(() => {});
      // A server that does not respond would not confirm the end.
      (
        client as unknown as { connection: { stream: { destroy(): void } } }
      ).connection.stream.destroy();
    },
  };
}
