import pg from 'pg';
import { within } from '../messaging/queue-server.ts';

/** A connection to a database that serves nothing but the question whether the database works. */
export interface Probe {
  /** Rejects when the database does not answer within 2 s. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** One connection of a probe. */
export interface ProbeConnection {
  ask(): Promise<unknown>;
  /** Ends it without waiting for the server. */
  destroy(): void;
}

const ANSWER_MS = 2_000;

/**
 * Asks over a connection that `connect` opens and that stays open; after a failure the next check
 * opens another one. Checks that come at the same time share one question.
 */
export function probe(connect: () => Promise<ProbeConnection>): Probe {
  let connection: Promise<ProbeConnection> | undefined;
  let checking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    connection ??= connect();
    const current = connection;
    try {
      await within(
        ANSWER_MS,
        'the database probe',
        current.then((opened) => opened.ask()),
      );
    } catch (error) {
      connection = undefined;
      current.then((opened) => opened.destroy()).catch(() => {});
      throw error;
    }
  }

  return {
    check() {
      checking ??= ask().finally(() => {
        checking = undefined;
      });
      return checking;
    },
    async close() {
      const last = connection;
      connection = undefined;
      await within(ANSWER_MS, 'closing', Promise.resolve(last?.then((one) => one.destroy()))).catch(
        () => {},
      );
    },
  };
}

/** A probe of a PostgreSQL database. */
export function postgresProbe(connectionString: string): Probe {
  return probe(async () => {
    const client = new pg.Client({
      connectionString,
      connectionTimeoutMillis: ANSWER_MS,
      statement_timeout: ANSWER_MS,
      keepAlive: true,
    });
    // An end that nobody hears would end the process; the next check notices it.
    client.on('error', () => {});
    await client.connect();
    const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } })
      .connection;
    return { ask: () => client.query('SELECT 1'), destroy: () => void stream.destroy() };
  });
}
