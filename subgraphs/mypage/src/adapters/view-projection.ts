import { setTimeout as wait } from 'node:timers/promises';
import { failureKind, RetryLater } from '#platform/messaging/failures.ts';
import type { Prisma, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import {
  type BookingStatusView,
  type ProjectedEvent,
  project,
  statusChangeOf,
} from '../booking-status-view.ts';

const ATTEMPTS = 8;

/** Unique key, deadlock or write conflict: another writer was faster. */
const CONFLICTS = new Set(['P2002', 'P2034']);
/** The same, where a raw statement meets it. */
const CONFLICT_KINDS = new Set(['UniqueConstraintViolation', 'TransactionWriteConflict']);

/** A view was changed by another writer after it had been read. */
export class ViewConflict extends RetryLater {}

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
      if (attempt === ATTEMPTS || !(isWriteConflict(error) || isLockTimeout(error))) throw error;
      // At random, so that two of them do not meet again.
      await wait(Math.random() * 30 * attempt);
    }
  }
}

/** A transient failure that a smaller batch would meet as well, unlike a write conflict. */
export function isOutage(error: unknown): boolean {
  return failureKind(error) === 'transient' && !isWriteConflict(error);
}

/** Was another writer of the same views or events faster? */
function isWriteConflict(error: unknown): boolean {
  if (error instanceof ViewConflict) return true;
  const { code, kind } = failureOf(error);
  return code === 'P2010' ? CONFLICT_KINDS.has(kind) : CONFLICTS.has(code);
}

function isLockTimeout(error: unknown): boolean {
  const { code, kind } = failureOf(error);
  return code === 'P2010' ? kind === 'SocketTimeout' : code === 'P1008';
}

/** Prisma's code and, of a raw statement, what its driver adapter calls the failure. */
function failureOf(error: unknown): { code: string; kind: string } {
  const { code, meta } = error as {
    code?: string;
    meta?: { driverAdapterError?: { cause?: { kind?: string } } };
  };
  return { code: String(code), kind: String(meta?.driverAdapterError?.cause?.kind) };
}

/** The columns of a view, by the names that the code gives them. */
const VIEW = {
  bookingId: 'booking_id',
  customerId: 'customer_id',
  status: 'status',
  spaceName: 'space_name',
  startAt: 'start_at',
  endAt: 'end_at',
  priceAmount: 'price_amount',
  currency: 'currency',
  paymentStatus: 'payment_status',
  refunded: 'refunded',
  registrationStatus: 'registration_status',
  bookingVersion: 'booking_version',
  paymentVersion: 'payment_version',
  registrationVersion: 'registration_version',
  version: 'version',
  updatedAt: 'updated_at',
} as const satisfies Record<keyof BookingStatusView, string>;
const FIELDS = Object.keys(VIEW) as (keyof BookingStatusView)[];
const COLUMNS = FIELDS.map((field) => VIEW[field]).join(', ');
const SELECTED = FIELDS.map((field) => `${VIEW[field]} AS ${field}`).join(', ');

/**
 * Projects events into the views of one generation, each event once; returns the new version of a view
 * for each event that was not projected before. With `keepVersions` the versions are stored for
 * subscribers who resume; with `clearFailures` the failed attempts of the events are deleted.
 *
 * The hot path, where Prisma's client costs more than the database: hence raw statements, in the SQL
 * that SQLite and MariaDB have in common.
 */
export async function projectInto(
  tx: Prisma.TransactionClient,
  generation: number,
  events: readonly ProjectedEvent[],
  { keepVersions, clearFailures }: { keepVersions: boolean; clearFailures: boolean },
): Promise<BookingStatusView[]> {
  const ids = [...new Set(events.map(({ id }) => id))];
  if (ids.length === 0) return [];
  // One statement for both: most events never failed, and cost no statement more.
  const rows = await tx.$queryRawUnsafe<{ id: string; place: string }[]>(
    `SELECT event_id AS id, 'inbox' AS place FROM inbox
      WHERE generation = ? AND event_id IN (${marks(ids.length)})
      UNION ALL
     SELECT event_id AS id, 'failing' AS place FROM dead_letter
      WHERE state = 'FAILING' AND event_id IN (${marks(ids.length)})`,
    generation,
    ...ids,
    ...ids,
  );
  const known = new Set(rows.filter(({ place }) => place === 'inbox').map(({ id }) => id));
  const failing = rows.filter(({ place }) => place === 'failing').map(({ id }) => id);
  const fresh = events.filter(({ id }) => !known.has(id) && known.add(id));
  if (fresh.length === 0) return [];
  // A concurrent writer of the same event fails here, on the key, with all that it wrote.
  const now = new Date();
  await insert(
    tx,
    'inbox (generation, event_id, received_at)',
    fresh.map(({ id }) => [generation, id, now]),
  );

  if (clearFailures && failing.length > 0) {
    await tx.deadLetter.deleteMany({ where: { eventId: { in: failing }, state: 'FAILING' } });
  }

  const bookingIds = [...new Set(fresh.map(({ facts }) => facts.bookingId))];
  const stored = await tx.$queryRawUnsafe<BookingStatusView[]>(
    `SELECT ${SELECTED} FROM booking_status_view
      WHERE generation = ? AND booking_id IN (${marks(bookingIds.length)})`,
    generation,
    ...bookingIds,
  );
  const views = new Map(stored.map((view) => [view.bookingId, view]));
  const versions = fresh.map((event) => {
    const { bookingId } = event.facts;
    const version = project(views.get(bookingId) ?? null, event);
    views.set(bookingId, version);
    return version;
  });
  await remove(tx, generation, stored);
  await insert(
    tx,
    `booking_status_view (generation, ${COLUMNS})`,
    [...views.values()].map((view) => [generation, ...FIELDS.map((field) => view[field])]),
  );
  if (keepVersions) {
    await insert(
      tx,
      `view_version (generation, projected_at, ${COLUMNS})`,
      versions.map((view) => [generation, now, ...FIELDS.map((field) => view[field])]),
    );
  }
  const changes = fresh.map(statusChangeOf).filter((change) => change !== null);
  await insert(
    tx,
    'status_change (generation, booking_id, booking_version, status, at)',
    changes.map((each) => [generation, each.bookingId, each.bookingVersion, each.status, each.at]),
  );
  return versions;
}

/** Views are replaced, not updated: however many a group touches, it takes the same few statements. */
async function remove(
  tx: Prisma.TransactionClient,
  generation: number,
  views: readonly BookingStatusView[],
): Promise<void> {
  if (views.length === 0) return;
  // The generation in each of them: SQLite looks up the terms of an OR in an index only one by one.
  const each = '(generation = ? AND booking_id = ? AND version = ?)';
  const removed = await tx.$executeRawUnsafe(
    `DELETE FROM booking_status_view WHERE ${views.map(() => each).join(' OR ')}`,
    ...views.flatMap(({ bookingId, version }) => [generation, bookingId, version]),
  );
  if (removed < views.length) throw new ViewConflict('another writer changed a view meanwhile');
}

async function insert(
  tx: Prisma.TransactionClient,
  into: string,
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  if (rows.length === 0) return;
  const row = `(${marks(rows[0]?.length ?? 0)})`;
  await tx.$executeRawUnsafe(
    `INSERT INTO ${into} VALUES ${rows.map(() => row).join(', ')}`,
    ...rows.flat(),
  );
}

function marks(count: number): string {
  return Array(count).fill('?').join(', ');
}
