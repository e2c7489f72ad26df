import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from '@libsql/client';

const LOOK_EVERY_MS = 20;

/** Tells when mypage shows a booking as confirmed. */
export interface VisibleBookings {
  /** Resolves as soon as mypage's database holds the booking as REGISTERED. */
  registered(bookingId: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Looks into mypage's own database, for all bookings at once and past all of its processes: asking
 * the router for each of them again and again would be the greater part of the load.
 */
export function watchVisibleBookings(viewDatabaseUrl: string): VisibleBookings {
  const client = createClient({ url: viewDatabaseUrl });
  const awaited = new Map<string, () => void>();
  let closed = false;

  async function look(): Promise<void> {
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

  const looking = (async () => {
    while (!closed) {
      await look();
      await wait(LOOK_EVERY_MS);
    }
  })();
  // close() tells of a failure.
  looking.catch(() => {});

  return {
    registered: (bookingId) => new Promise((resolve) => void awaited.set(bookingId, resolve)),
    async close() {
      closed = true;
      await looking.finally(() => client.close());
    },
  };
}
