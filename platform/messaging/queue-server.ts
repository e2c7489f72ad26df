import type { BackendFactory, QueueOptions } from 'bullmq';

/**
 * The server of BullMQ's queues: what differs between Redis and PostgreSQL. It is connected in the
 * background, without a time limit.
 */
export interface QueueServer {
  /** BullMQ's options for a queue and its workers; throws before {@link ping} has resolved for it once. */
  options(queue: string): QueueOptions;
  backend: BackendFactory;
  /** Is this error a response of the server? Then the connection to it works. */
  isResponse(error: unknown): boolean;
  /**
   * Rejects when the server that stores the queue is not connected or does not respond within 3 s; without a
   * queue, when one does not that stores a queue in use.
   */
  ping(queue?: string): Promise<void>;
  /** Ends every connection, also those that BullMQ opened and did not close. */
  close(): Promise<void>;
}

export const PING_TIMEOUT_MS = 3_000;
