import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { createClient } from 'redis';
import type { Role } from '#platform/auth/principal.ts';
import { openTransport, type Transport } from '#platform/messaging/queue.ts';
import { createMetrics } from '#platform/observability/metrics.ts';
import { TcpProxy } from '../../tests/faults/tcp-proxy.ts';
import { createDatabase, silent } from '../../tests/support/database.ts';
import { createConsoleServer } from '../src/console/console-server.ts';
import { openQueueReader } from '../src/console/queue-reader.ts';
import { signDevelopmentToken } from '../src/identity/development-tokens.ts';
import { identityVerifier } from '../src/identity/identity.ts';

/** A server for queues that holds nothing yet. */
export interface EmptyQueueServer {
  name: 'PostgreSQL' | 'Redis';
  url: string;
  settings(url: string): { QUEUE_DATABASE_URL: string } | { REDIS_URL: string };
  /** How many keys or rows the server stores of queues. */
  countStored(): Promise<number>;
  drop(): Promise<unknown>;
}

/** A console that reads its queues through a proxy, and the transport that fills them. */
export interface RunningConsole {
  address: string;
  proxy: TcpProxy;
  transport: Transport;
  /** The log lines of the console so far. */
  lines: Record<string, unknown>[];
  token(user: string, ...roles: Role[]): Promise<string>;
  /** Sends a GET request as an operator, and parses the response. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read into responses and fail where they differ
  get(path: string): Promise<{ status: number; body: any }>;
  close(): Promise<void>;
}

const secret = randomBytes(32).toString('base64url');

export async function openConsole(server: EmptyQueueServer): Promise<RunningConsole> {
  const { hostname, port } = new URL(server.url);
  const proxy = await TcpProxy.open({ host: hostname, port: Number(port) });
  const lines: Record<string, unknown>[] = [];
  const logger = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
  const metrics = createMetrics('console');
  const reader = openQueueReader(server.settings(proxy.through(server.url)), logger, metrics);
  const identity = { SPACERENT_PROFILE: 'embedded', AUTH_SECRET: secret } as const;
  const app = await createConsoleServer({
    reader,
    identify: identityVerifier(identity, logger),
    metrics,
    metricsToken: undefined,
    draining: new AbortController().signal,
    logger,
  });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const transport = openTransport(server.settings(server.url), silent);
  const token = (user: string, ...roles: Role[]) => signDevelopmentToken(secret, { user, roles });
  return {
    address,
    proxy,
    transport,
    lines,
    token,
    async get(path) {
      const authorization = `Bearer ${await token('olivia', 'operator')}`;
      const response = await fetch(address + path, { headers: { authorization } });
      return { status: response.status, body: JSON.parse(await response.text()) };
    },
    async close() {
      proxy.heal();
      await app.close();
      await Promise.all([reader.close(), transport.close()]);
      await proxy.close();
    },
  };
}

export async function emptyPostgres(): Promise<EmptyQueueServer> {
  const database = await createDatabase();
  const count = async (table: string) =>
    Number((await database.query<{ count: string }>(`SELECT count(*) FROM ${table}`))[0]?.count);
  return {
    name: 'PostgreSQL',
    url: database.url,
    settings: (url) => ({ QUEUE_DATABASE_URL: url }),
    async countStored() {
      const tables = await database.query<{ name: string }>(
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
          WHERE schemaname = 'bullmq' AND tablename <> 'migration'`,
      );
      const counts = await Promise.all(tables.map(({ name }) => count(name)));
      return counts.reduce((sum, each) => sum + each, 0);
    },
    drop: () => database.drop(),
  };
}

/** Another logical database of the Redis that all tests share. */
export async function emptyRedis(): Promise<EmptyQueueServer> {
  const url = new URL('/9', process.env.TEST_REDIS_URL).href;
  const admin = createClient({ url });
  await admin.connect();
  await admin.flushDb();
  return {
    name: 'Redis',
    url,
    settings: (address) => ({ REDIS_URL: address }),
    countStored: () => admin.dbSize(),
    async drop() {
      await admin.flushDb();
      admin.destroy();
    },
  };
}
