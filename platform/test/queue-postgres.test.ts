import { createDatabase, silent } from '../../tests/support/database.ts';
import { openTransport } from '../messaging/queue.ts';
import { openProxyTo, type QueueServer } from './queue-harness.ts';
import { describeQueue } from './queue-spec.ts';

describeQueue('PostgreSQL', preparePostgres);

async function preparePostgres(): Promise<QueueServer> {
  const database = await createDatabase();
  return {
    url: database.url,
    openProxy: () => openProxyTo(database.url),
    open: async (url, logger = silent) => openTransport({ QUEUE_DATABASE_URL: url }, logger),
    endConnections: () =>
      database.query(`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()`),
    drop: () => database.drop(),
  };
}
