import type { Queue } from 'bullmq';
import { contextNames } from '#contracts/topology.ts';
import { serviceUnavailable } from '#platform/graphql/errors.ts';
import { withTimeout } from '#platform/lifecycle/timeout.ts';
import { toQueuesByConsumer } from '#platform/messaging/due-events.ts';
import {
  openQueueServer,
  openQueues,
  type QueueSettings,
} from '#platform/messaging/open-queues.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { Metrics } from '#platform/observability/metrics.ts';

/** Every queue of the topology, for reading. */
export interface QueueReader {
  /**
   * Calls `work` with the queues, for 10 s at most. Rejects with SERVICE_UNAVAILABLE and a sentence while their
   * server does not respond.
   */
  read<Result>(work: (queues: readonly Queue[]) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

const READ_TIMEOUT_MS = 10_000;

/** Connects in the background; throws ConfigError when the settings name no server. */
export function openQueueReader(
  settings: QueueSettings,
  logger: Logger,
  metrics: Metrics,
): QueueReader {
  const server = openQueueServer(settings, logger, metrics);
  // Without this option BullMQ writes its version into the server for each queue that it opens.
  const queues = openQueues(server, logger, { skipMetasUpdate: true });
  const kind = settings.REDIS_URL ? 'Redis' : 'PostgreSQL';

  const requireServer = () =>
    server.ping().catch(() => {
      throw serviceUnavailable(
        `The queue's server (${kind}) does not respond. Bookings are accepted all the same, and their ` +
          'events are delivered when it is back.',
      );
    });

  return {
    async read(work) {
      await requireServer();
      try {
        const opened = Promise.all(queueNames().map((name) => queues.open(name)));
        return await withTimeout(READ_TIMEOUT_MS, 'reading queues', opened.then(work));
      } catch (error) {
        await requireServer();
        throw error;
      }
    },
    close: queues.close,
  };
}

/** The queues of all contexts' events, sorted. */
export function queueNames(): string[] {
  return contextNames.flatMap((name) => [...toQueuesByConsumer(name).values()].flat()).sort();
}
