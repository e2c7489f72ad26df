import { setTimeout as wait } from 'node:timers/promises';
import { failureKind, RetryLater } from '#platform/messaging/failures.ts';
import type { Prisma, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import {
  type BookingStatusView,
  type ProjectedEvent,
  project,
  toStatusChange,
} from '../booking-status-view.ts';
import { type ConsumedEvent, isSpaceEvent } from '../space-view.ts';
import { insertRows, placeholders } from './raw-rows.ts';
import { findHosts, projectSpaces } from './space-projection.ts';

const MAX_ATTEMPTS = 8;

/** Unique key, deadlock or write conflict: another writer was faster. */
const CONFLICTS = new Set(['P2002', 'P2034']);
/** The same of a raw statement. */
const CONFLICT_KINDS = new Set(['UniqueConstraintViolation', 'TransactionWriteConflict']);

/** A view was changed by another writer after it had been read. */
export class ViewConflict extends RetryLater {}

/**
 * Runs `work` in one transaction, and retries it up to 8 times when another writer was faster: the live
 * projection and a rebuild write the same generation.
 */
export async function inViewTransaction<T>(
  prisma: PrismaClient,
  work: (tx: Prisma.TransactionClient) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await prisma.$transaction(work, { timeout: 20_000, maxWait: 20_000 });
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !(isWriteConflict(error) || isLockTimeout(error)))
        throw error;
      // A random pause, so that two writers do not meet again.
      await wait(Math.random() * 30 * attempt);
    }
  }
}

/** Is it a transient failure that a smaller batch would not avoid, unlike a write conflict? */
export function isOutage(error: unknown): boolean {
  return failureKind(error) === 'transient' && !isWriteConflict(error);
}

/** Was another writer of the same views or events faster? */
function isWriteConflict(error: unknown): boolean {
  if (error instanceof ViewConflict) return true;
  const { code, kind } = toFailure(error);
  return code === 'P2010' ? CONFLICT_KINDS.has(kind) : CONFLICTS.has(code);
}

function isLockTimeout(error: unknown): boolean {
  const { code, kind } = toFailure(error);
  return code === 'P2010' ? kind === 'SocketTimeout' : code === 'P1008';
}

/** Prisma's code and, of a raw statement, the driver adapter's kind of failure. */
function toFailure(error: unknown): { code: string; kind: string } {
  const { code, meta } = error as {
    code?: string;
    meta?: { driverAdapterError?: { cause?: { kind?: string } } };
  };
  return { code: String(code), kind: String(meta?.driverAdapterError?.cause?.kind) };
}

/** The column of each field of a view. */
const COLUMN_OF = {
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
  spaceId: 'space_id',
  hostId: 'host_id',
  headcount: 'headcount',
  note: 'note',
  requestedAt: 'requested_at',
  decideBefore: 'decide_before',
  chargedAmount: 'charged_amount',
} as const satisfies Record<keyof BookingStatusView, string>;
const FIELDS = Object.keys(COLUMN_OF) as (keyof BookingStatusView)[];
const COLUMNS = FIELDS.map((field) => COLUMN_OF[field]).join(', ');
const SELECTED = FIELDS.map((field) => `${COLUMN_OF[field]} AS ${field}`).join(', ');

/**
 * Projects events into the views of one generation, each event once; returns the new version of a view for
 * each event of a booking that was not processed before. `keepVersions` stores the versions for subscribers who resume;
 * `clearFailures` deletes the failed attempts of the events.
 *
 * The hot path, where Prisma's client costs more than the database: hence raw statements, in the SQL that
 * SQLite and MariaDB share.
 */
export async function projectInto(
  tx: Prisma.TransactionClient,
  generation: number,
  events: readonly ConsumedEvent[],
  { keepVersions, clearFailures }: { keepVersions: boolean; clearFailures: boolean },
): Promise<BookingStatusView[]> {
  const { processed, failing } = await findEvents(tx, generation, events);
  const unprocessed = events.filter(({ id }) => !processed.has(id) && processed.add(id));
  if (unprocessed.length === 0) return [];
  // A concurrent writer of the same event fails here, on the key, and is rolled back.
  const now = new Date();
  await insertRows(
    tx,
    'inbox (generation, event_id, received_at)',
    unprocessed.map(({ id }) => [generation, id, now]),
  );

  if (clearFailures && failing.length > 0) {
    await tx.deadLetter.deleteMany({ where: { eventId: { in: failing }, state: 'FAILING' } });
  }

  // Before the bookings, which may need their hosts.
  await projectSpaces(tx, generation, unprocessed.filter(isSpaceEvent));
  const ofBookings = unprocessed.filter((event) => !isSpaceEvent(event));
  const versions = await replaceViews(tx, generation, ofBookings);
  if (keepVersions) {
    await insertRows(
      tx,
      `view_version (generation, projected_at, ${COLUMNS})`,
      versions.map((view) => [generation, now, ...FIELDS.map((field) => view[field])]),
    );
  }
  const changes = ofBookings.map(toStatusChange).filter((change) => change !== null);
  await insertRows(
    tx,
    'status_change (generation, booking_id, booking_version, status, at)',
    changes.map((each) => [generation, each.bookingId, each.bookingVersion, each.status, each.at]),
  );
  return versions;
}

/** Which of the events are processed, and which have failed attempts. */
async function findEvents(
  tx: Prisma.TransactionClient,
  generation: number,
  events: readonly ConsumedEvent[],
): Promise<{ processed: Set<string>; failing: string[] }> {
  const ids = [...new Set(events.map(({ id }) => id))];
  if (ids.length === 0) return { processed: new Set(), failing: [] };
  // One statement for both: few events ever fail, and the others cost no further statement.
  const rows = await tx.$queryRawUnsafe<{ id: string; place: string }[]>(
    `SELECT event_id AS id, 'inbox' AS place FROM inbox
      WHERE generation = ? AND event_id IN (${placeholders(ids.length)})
      UNION ALL
     SELECT event_id AS id, 'failing' AS place FROM dead_letter
      WHERE state = 'FAILING' AND event_id IN (${placeholders(ids.length)})`,
    generation,
    ...ids,
    ...ids,
  );
  const idsIn = (place: string) => rows.filter((row) => row.place === place).map(({ id }) => id);
  return { processed: new Set(idsIn('inbox')), failing: idsIn('failing') };
}

/** Writes the views after the events; returns the version of a view after each event. */
async function replaceViews(
  tx: Prisma.TransactionClient,
  generation: number,
  events: readonly ProjectedEvent[],
): Promise<BookingStatusView[]> {
  if (events.length === 0) return [];
  const bookingIds = [...new Set(events.map(({ payload }) => payload.bookingId))];
  const stored = await tx.$queryRawUnsafe<BookingStatusView[]>(
    `SELECT ${SELECTED} FROM booking_status_view
      WHERE generation = ? AND booking_id IN (${placeholders(bookingIds.length)})`,
    generation,
    ...bookingIds,
  );
  const hosts = await findHosts(tx, generation, spacesOfUnknownHosts(stored, events));
  const views = new Map(stored.map((view) => [view.bookingId, view]));
  const versions = events.map((event) => {
    const { bookingId } = event.payload;
    const projected = project(views.get(bookingId) ?? null, event);
    const hostId = projected.hostId ?? hosts.get(projected.spaceId ?? '') ?? null;
    const version = { ...projected, hostId };
    views.set(bookingId, version);
    return version;
  });
  await deleteViews(tx, generation, stored);
  await insertRows(
    tx,
    `booking_status_view (generation, ${COLUMNS})`,
    [...views.values()].map((view) => [generation, ...FIELDS.map((field) => view[field])]),
  );
  return versions;
}

/** The spaces of bookings whose own events do not name the host. */
function spacesOfUnknownHosts(
  stored: readonly BookingStatusView[],
  events: readonly ProjectedEvent[],
): string[] {
  const views = stored.filter(({ hostId }) => hostId === null).map(({ spaceId }) => spaceId);
  const bookings = events.map((event) =>
    event.aggregate === 'booking' && event.payload.hostId === undefined
      ? event.payload.spaceId
      : null,
  );
  return [...new Set([...views, ...bookings])].filter((spaceId) => spaceId !== null);
}

/** Views are replaced, not updated: a batch of any size needs the same few statements. */
async function deleteViews(
  tx: Prisma.TransactionClient,
  generation: number,
  views: readonly BookingStatusView[],
): Promise<void> {
  if (views.length === 0) return;
  // The generation is in each term: SQLite looks up the terms of an OR in an index one by one.
  const term = '(generation = ? AND booking_id = ? AND version = ?)';
  const removed = await tx.$executeRawUnsafe(
    `DELETE FROM booking_status_view WHERE ${views.map(() => term).join(' OR ')}`,
    ...views.flatMap(({ bookingId, version }) => [generation, bookingId, version]),
  );
  if (removed < views.length) throw new ViewConflict('another writer changed a view meanwhile');
}
