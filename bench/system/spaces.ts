import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { RouterClient } from './router-client.ts';

const HOUR_MS = 3_600_000;
const KNOWN_WITHIN_MS = 10_000;

export const SPACES = 200;
export const HOURLY_RATE = 30_000;

const listSpace = `mutation ListSpace($input: ListSpaceInput!) {
  listSpace(input: $input) {
    ... on ListSpaceSuccess { space { id } }
    ... on Problem { message }
  }
}`;

/** Lists the spaces that are booked, and waits until book knows them. Returns their ids. */
export async function listSpaces(router: RouterClient, bookUrl: string): Promise<string[]> {
  const token = await router.tokenFor('bench-host', 'host');
  const names = Array.from({ length: SPACES }, (_, index) => `Room ${index}`);
  const ids: string[] = [];
  const listers = Array.from({ length: 8 }, async () => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const input = { name, capacity: 8, hourlyRate: HOURLY_RATE };
      type Answer = { listSpace: { space?: { id: string }; message?: string } };
      const { listSpace: answer } = await router.request<Answer>(listSpace, { input }, token);
      if (!answer.space) throw new Error(`A space could not be listed: ${answer.message}`);
      ids.push(answer.space.id);
    }
  });
  await Promise.all(listers);
  await untilBookKnows(bookUrl, ids);
  return ids;
}

async function untilBookKnows(bookUrl: string, ids: readonly string[]): Promise<void> {
  const client = new pg.Client(bookUrl);
  await client.connect();
  try {
    const deadline = Date.now() + KNOWN_WITHIN_MS;
    for (;;) {
      const { rows } = await client.query<{ known: number }>(
        'SELECT count(*)::int AS known FROM catalogue_space WHERE id = ANY($1::uuid[])',
        [ids],
      );
      if (rows[0]?.known === ids.length) return;
      if (Date.now() > deadline) {
        throw new Error(`Book knows ${rows[0]?.known} of ${ids.length} spaces after 10 s.`);
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

/** Even hours belong to the bookings that are stored beforehand, odd ones to those made later. */
export function evenHourOf(now: Date): Date {
  return new Date(Math.floor(now.getTime() / (2 * HOUR_MS)) * 2 * HOUR_MS);
}

/**
 * Deals out slots that nobody has: one hour in each space in turn, then the odd hour after. Between
 * the slots of stored bookings, so that the search for overlaps meets neighbours.
 */
export function slotDealer(spaceIds: readonly string[]): () => FreeSlot {
  const first = evenHourOf(new Date()).getTime() + 3 * HOUR_MS;
  let dealt = 0;
  return () => {
    const spaceId = spaceIds[dealt % spaceIds.length] as string;
    const start = first + Math.floor(dealt / spaceIds.length) * 2 * HOUR_MS;
    dealt += 1;
    return { spaceId, startAt: new Date(start), endAt: new Date(start + HOUR_MS) };
  };
}
