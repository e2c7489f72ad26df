import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { RouterClient } from './router-client.ts';

const HOUR_MS = 3_600_000;
const CATALOGUE_TIMEOUT_MS = 10_000;

export const SPACES = 200;
export const HOURLY_RATE = 30_000;

const listSpace = `mutation ListSpace($input: ListSpaceInput!) {
  listSpace(input: $input) {
    ... on ListSpaceSuccess { space { id } }
    ... on Problem { message }
  }
}`;

/** Lists the spaces that are booked, and waits until book's catalogue contains them. Returns their ids. */
export async function listSpaces(router: RouterClient, bookUrl: string): Promise<string[]> {
  const token = await router.tokenFor('bench-host', 'host');
  const names = Array.from({ length: SPACES }, (_, index) => `Room ${index}`);
  const ids: string[] = [];
  const listers = Array.from({ length: 8 }, async () => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const input = { name, capacity: 8, hourlyRate: HOURLY_RATE };
      type Data = { listSpace: { space?: { id: string }; message?: string } };
      const { listSpace: result } = await router.request<Data>(listSpace, { input }, token);
      if (!result.space) throw new Error(`A space could not be listed: ${result.message}`);
      ids.push(result.space.id);
    }
  });
  await Promise.all(listers);
  await waitForCatalogue(bookUrl, ids);
  return ids;
}

async function waitForCatalogue(bookUrl: string, ids: readonly string[]): Promise<void> {
  const client = new pg.Client(bookUrl);
  await client.connect();
  try {
    const deadline = Date.now() + CATALOGUE_TIMEOUT_MS;
    for (;;) {
      const { rows } = await client.query<{ listed: number }>(
        'SELECT count(*)::int AS listed FROM catalogue_space WHERE id = ANY($1::uuid[])',
        [ids],
      );
      if (rows[0]?.listed === ids.length) return;
      if (Date.now() > deadline) {
        throw new Error(
          `Book's catalogue contains ${rows[0]?.listed} of ${ids.length} spaces after 10 s.`,
        );
      }
      await wait(100);
    }
  } finally {
    await client.end();
  }
}

export interface FreeSlot {
  spaceId: string;
  startAt: Date;
  endAt: Date;
}

/** Stored bookings occupy even hours; bookings of the measurement occupy odd ones. */
export function toEvenHour(now: Date): Date {
  return new Date(Math.floor(now.getTime() / (2 * HOUR_MS)) * 2 * HOUR_MS);
}

/**
 * Returns free slots: one hour in each space in turn, then the next odd hour. They are between the slots
 * of stored bookings, so that the search for overlaps finds neighbours.
 */
export function slotDealer(spaceIds: readonly string[]): () => FreeSlot {
  const first = toEvenHour(new Date()).getTime() + 3 * HOUR_MS;
  let dealt = 0;
  return () => {
    const spaceId = spaceIds[dealt % spaceIds.length] as string;
    const start = first + Math.floor(dealt / spaceIds.length) * 2 * HOUR_MS;
    dealt += 1;
    return { spaceId, startAt: new Date(start), endAt: new Date(start + HOUR_MS) };
  };
}
