import { setTimeout as pause } from 'node:timers/promises';
import { describeOutage } from '../database/outage.ts';
import { createHttpServer, NotReady } from '../http/http-server.ts';
import type { Logger } from '../observability/logger.ts';

const MIN_PAUSE_MS = 250;
const MAX_PAUSE_MS = 2_000;

/** The health checks of a context that cannot serve yet. */
export interface WaitingServer {
  /** Calls `migrate` until it resolves; rejects when it fails for a reason that waiting does not end. */
  untilMigrated(migrate: () => Promise<unknown>): Promise<void>;
  /** Frees the port at once, for the server that serves. */
  close(): Promise<void>;
}

/**
 * Listens at the context's address before its database is there: the process is alive and not ready, and
 * every other request gets 503, upon which the router asks another replica. The reason is part of both
 * responses, and a line of the log whenever it changes.
 */
export async function openWaitingServer(
  name: string,
  config: { HOST: string; PORT: number },
  draining: AbortSignal,
  logger: Logger,
): Promise<WaitingServer> {
  let reason = `${name} is starting`;
  const ready = () => Promise.reject(new NotReady(reason));
  const app = createHttpServer({ ready, draining }, logger, { forceCloseConnections: true });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(503).send({ status: 'not ready', reason }),
  );
  await app.listen({ host: config.HOST, port: config.PORT });

  return {
    async untilMigrated(migrate) {
      for (let attempt = 0; ; attempt += 1) {
        try {
          await migrate();
          if (attempt > 0) logger.info(`${name} has waited for its database, which is there`);
          reason = `${name} is starting`;
          return;
        } catch (error) {
          const outage = describeOutage(error);
          if (outage === undefined) throw error;
          const current = `${name} waits for its database: ${outage}`;
          if (current !== reason) logger.warn({ cause: toMessage(error) }, current);
          reason = current;
        }
        await pause(backoffMs(attempt));
      }
    },
    close: () => app.close(),
  };
}

/** Random, so that replicas that wait for one server do not all come back in the same moment. */
function backoffMs(attempt: number): number {
  return Math.min(MIN_PAUSE_MS * 2 ** attempt, MAX_PAUSE_MS) * (0.5 + Math.random() / 2);
}

function toMessage(error: unknown): string {
  // The message of MariaDB's driver repeats the statement; `sqlMessage` is the server's part of it.
  const { sqlMessage, message } = error as { sqlMessage?: string; message?: string };
  // Of several addresses that were tried, Node's error has no message of its own.
  return sqlMessage || message || String((error as { code?: string }).code ?? error);
}
