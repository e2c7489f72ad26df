import type { BackendFactory, QueueOptions } from 'bullmq';
import type { Logger } from '../observability/logger.ts';

/**
 * The server behind BullMQ's queues: what differs between Redis and PostgreSQL. It is connected to in
 * the background, for as long as that takes.
 */
export interface QueueServer {
  /** What BullMQ is given for each queue and worker; throws before {@link ping} resolved once. */
  readonly options: QueueOptions;
  backend: BackendFactory;
  /** Was this error the server's own answer? Then the connection to it works. */
  isAnswer(error: unknown): boolean;
  /** Rejects when the server is not connected, or does not answer, within 3 s. */
  ping(): Promise<void>;
  /** Ends every connection, also those that BullMQ opened and left. */
  close(): Promise<void>;
}

export const PING_MS = 3_000;

/** Settles as `work` does, or rejects after `ms`; `work` itself goes on, unheard. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const WARN_EVERY_MS = 5_000;

/** Logs a source's errors as warnings, at most one in 5 s, and how many it kept to itself. */
export function sparingWarnings(logger: Logger, message: string, facts: object = {}) {
  let quietUntil = 0;
  let unsaid = 0;
  return (error: unknown): void => {
    if (Date.now() < quietUntil) {
      unsaid += 1;
      return;
    }
    logger.warn({ err: error, ...facts, ...(unsaid > 0 && { unsaid }) }, message);
    quietUntil = Date.now() + WARN_EVERY_MS;
    unsaid = 0;
  };
}
