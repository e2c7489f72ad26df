import type { BackendFactory, QueueOptions } from 'bullmq';
import type { Logger } from '../observability/logger.ts';

/**
 * The server of BullMQ's queues: what differs between Redis and PostgreSQL. It is connected in the
 * background, without a time limit.
 */
export interface QueueServer {
  /** BullMQ's options for each queue and worker; throws before {@link ping} has resolved once. */
  readonly options: QueueOptions;
  backend: BackendFactory;
  /** Is this error a response of the server? Then the connection to it works. */
  isResponse(error: unknown): boolean;
  /** Rejects when the server is not connected or does not respond within 3 s. */
  ping(): Promise<void>;
  /** Ends every connection, also those that BullMQ opened and did not close. */
  close(): Promise<void>;
}

export const PING_TIMEOUT_MS = 3_000;

const WARN_EVERY_MS = 5_000;

/** Logs a source's errors as warnings, at most one in 5 s, and how many it suppressed since. */
export function throttledWarnings(logger: Logger, message: string, fields: object = {}) {
  let suppressedUntil = 0;
  let suppressed = 0;
  return (error: unknown): void => {
    if (Date.now() < suppressedUntil) {
      suppressed += 1;
      return;
    }
    logger.warn({ err: error, ...fields, ...(suppressed > 0 && { suppressed }) }, message);
    suppressedUntil = Date.now() + WARN_EVERY_MS;
    suppressed = 0;
  };
}
