import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from '@libsql/client';

const POLL_MS = 20;

/** Waits until mypage shows a booking as confirmed. */
export interface VisibleBookings {
  /** Resolves as soon as mypage's database holds the booking as REGISTERED. */
  registered(bookingId: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Polls mypage's own database, for all bookings at once and without its processes: polling the router
 * for each booking would be the greater part of the load.
 */
export function watchVisibleBookings(viewDatabaseUrl: string): VisibleBookings {
  const client = createClient({ url: viewDatabaseUrl });
  const awaited = new Map<string, () => void>();
  let closed = false;

  async function poll(): Promise<void> {
    if (awaited.size === 0) return;
    const { rows } = await client.execute({
      sql: `SELECT booking_id FROM booking_status_view
             WHERE generation = (SELECT id FROM view_generation WHERE slot = 'LIVE')
               AND status = 'REGISTERED' AND booking_id IN (SELECT value FROM json_each(?))`,
      args: [JSON.stringify([...awaited.keys()])],
    });
    for (const row of rows) {
      const id = String(row.booking_id);
      awaited.get(id)?.();
      awaited.delete(id);
    }
  }

  const polling = (async () => {
    while (!closed) {
      await poll();
      await wait(POLL_MS);
    }
  })();
  // close() rethrows a failure.
  polling.catch(() => {});

  return {
    registered: (bookingId) => new Promise((resolve) => void awaited.set(bookingId, resolve)),
    async close() {
      closed = true;
      await polling.finally(() => client.close());
    },
  };
}
