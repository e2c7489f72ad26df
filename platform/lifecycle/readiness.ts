import pg from 'pg';
import { withTimeout } from './timeout.ts';

/** Checks whether a database works, over a connection of its own. */
export interface Probe {
  /** Rejects when the database does not respond within 2 s. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** One connection of a probe. */
export interface ProbeConnection {
  query(): Promise<unknown>;
  /** Ends it without waiting for the server. */
  destroy(): void;
}

const RESPONSE_TIMEOUT_MS = 2_000;

/**
 * Sends a query over a connection that `connect` opens and that stays open; after a failure the next
 * check opens another one. Concurrent checks share one query.
 */
export function openProbe(connect: () => Promise<ProbeConnection>): Probe {
  let connection: Promise<ProbeConnection> | undefined;
  let checking: Promise<void> | undefined;

  async function query(): Promise<void> {
    connection ??= connect();
    const current = connection;
    try {
      await withTimeout(
        RESPONSE_TIMEOUT_MS,
        'the database probe',
        current.then((opened) => opened.query()),
      );
    } catch (error) {
      connection = undefined;
      current.then((opened) => opened.destroy()).catch(() => {});
      throw error;
    }
  }

  return {
    check() {
      checking ??= query().finally(() => {
        checking = undefined;
      });
      return checking;
    },
    async close() {
      const last = connection;
      connection = undefined;
      await withTimeout(
        RESPONSE_TIMEOUT_MS,
        'closing',
        Promise.resolve(last?.then((one) => one.destroy())),
      ).catch(() => {});
    },
  };
}

/** A probe of a PostgreSQL database. */
export function postgresProbe(connectionString: string): Probe {
  return openProbe(async () => {
    const client = new pg.Client({
      connectionString,
      connectionTimeoutMillis: RESPONSE_TIMEOUT_MS,
      statement_timeout: RESPONSE_TIMEOUT_MS,
      keepAlive: true,
    });
    // Without a listener, the end of the connection would end the process; the next check notices it.
    client.on('error', () => {});
    await client.connect();
    const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } })
      .connection;
    return { query: () => client.query('SELECT 1'), destroy: () => void stream.destroy() };
  });
}
