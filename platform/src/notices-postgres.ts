import pg from 'pg';
import type { NoticeConnection } from './notice-connection.ts';

/** Notices by LISTEN and NOTIFY; a notice has at most 7,999 bytes. */
export async function connectToPostgres(url: string, channel: string): Promise<NoticeConnection> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 3_000,
    keepAlive: true,
    // Nothing is written but the notice itself.
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
    async listen(heard) {
      client.on('notification', ({ payload }) => heard(payload ?? ''));
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    },
    ping: () => client.query('SELECT 1'),
    ended,
    close() {
      client.end().catch(() => {});
      // A server that is silent would not say good-bye either.
      (
        client as unknown as { connection: { stream: { destroy(): void } } }
      ).connection.stream.destroy();
    },
  };
}
