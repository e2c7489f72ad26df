import { setTimeout as wait } from 'node:timers/promises';
import type { Prisma, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import {
  type BookingStatusView,
  type ProjectedEvent,
  project,
  statusChangeOf,
} from '../booking-status-view.ts';

const ATTEMPTS = 8;

/** Unique key, deadlock or write conflict, lock timeout: another writer was faster. */
const CONFLICTS = new Set(['P2002', 'P2034', 'P1008']);

/** A view was changed by another writer after it had been read. */
class ViewConflict extends Error {}

/**
 * Runs `work` in one transaction. When another writer was faster, it is rolled back and tried again,
 * up to 8 times: the live projection and a rebuild write the same generation.
 */
export async function inViewTransaction<T>(
  prisma: PrismaClient,
  work: (tx: Prisma.TransactionClient) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await prisma.$transaction(work, { timeout: 20_000, maxWait: 20_000 });
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
      // At random, so that two of them do not meet again.
      await wait(Math.random() * 30 * attempt);
    }
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof ViewConflict || CONFLICTS.has(String((error as { code?: string }).code));
}

/**
 * Takes events into the views of one generation, each once. It keeps to what SQLite and MariaDB do
 * alike, so no statement is written twice.
 */
export async function projectInto(
  tx: Prisma.TransactionClient,
  generation: number,
  events: readonly ProjectedEvent[],
): Promise<void> {
  const ids = [...new Set(events.map(({ id }) => id))];
  const held = await tx.inboxEvent.findMany({
    where: { generation, eventId: { in: ids } },
    select: { eventId: true },
  });
  const known = new Set(held.map((row) => row.eventId));
  const fresh = events.filter(({ id }) => !known.has(id) && known.add(id));
  if (fresh.length === 0) return;
  // A concurrent writer of the same event fails here, on the key, with all that it wrote.
  await tx.inboxEvent.createMany({ data: fresh.map(({ id }) => ({ generation, eventId: id })) });

  const bookingIds = [...new Set(fresh.map(({ facts }) => facts.bookingId))];
  const stored: BookingStatusView[] = await tx.bookingStatusView.findMany({
    where: { generation, bookingId: { in: bookingIds } },
    omit: { generation: true },
  });
  const before = new Map(stored.map((view) => [view.bookingId, view]));
  const after = new Map(before);
  for (const event of fresh) {
    const { bookingId } = event.facts;
    after.set(bookingId, project(after.get(bookingId) ?? null, event));
  }
  // Replaced, not updated: however many views a group touches, it takes the same few statements.
  const replaced = stored.map(({ bookingId, version }) => ({ generation, bookingId, version }));
  if (replaced.length > 0) {
    const { count } = await tx.bookingStatusView.deleteMany({ where: { OR: replaced } });
    if (count < replaced.length) throw new ViewConflict('another writer changed a view meanwhile');
  }
  await tx.bookingStatusView.createMany({
    data: [...after.values()].map((view) => ({ generation, ...view })),
  });
  const changes = fresh.map(statusChangeOf).filter((change) => change !== null);
  if (changes.length > 0) {
    await tx.statusChange.createMany({ data: changes.map((each) => ({ generation, ...each })) });
  }
}
