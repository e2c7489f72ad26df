import { setTimeout as pause } from 'node:timers/promises';

const BATCH_SIZE = 100;

/** Closes the connections in batches over `withinMs`, so that the clients do not all reconnect at once. */
export async function closeGradually<Connection>(
  connections: readonly Connection[],
  withinMs: number,
  close: (connection: Connection) => void,
): Promise<void> {
  for (let start = 0; start < connections.length; start += BATCH_SIZE) {
    if (start > 0) await pause((withinMs * BATCH_SIZE) / connections.length);
    connections.slice(start, start + BATCH_SIZE).forEach(close);
  }
}
