import { inTransaction, type Pool, type Queryable } from '#platform/database/postgres.ts';
import type { CalendarQuery, Calendars, SpaceCalendar } from '../application/read-calendars.ts';
import type { SlotTerms } from '../domain/booking-rules.ts';
import { toFingerprint } from '../domain/calendar-fingerprint.ts';
import {
  type CalendarRow,
  insertCalendars,
  lockCalendars,
  raiseVersions,
  readCalendarRows,
} from './calendar-statements.ts';

/** One space in one snapshot of the database. */
interface Snapshot {
  spaceId: string;
  terms: SlotTerms;
  version: number | null;
  storedFingerprint: string | null;
  fingerprint: string;
  now: Date;
  ranges: { query: CalendarQuery; occupied: CalendarRow['occupied'] }[];
}

/**
 * The calendars of spaces, from the holds in PostgreSQL. A reader that finds that a calendar differs from
 * the stored fingerprint raises the version, in a transaction that locks the calendar's row and reads again:
 * so all readers, in every process, see one version for one state. Bookings take no part in it.
 */
export function postgresCalendars(pool: Pool): Calendars {
  return {
    async read(queries) {
      const snapshots = await readSnapshots(pool, queries, 'changed');
      const stale = snapshots.filter(isStale);
      const current = snapshots.filter((snapshot) => !isStale(snapshot));
      if (stale.length > 0) current.push(...(await readRaised(pool, stale)));
      const found = new Map(current.flatMap(toCalendars));
      return queries.map((query) => found.get(query) ?? null);
    },
  };
}

const isStale = ({ fingerprint, storedFingerprint }: Snapshot) => fingerprint !== storedFingerprint;

/** Reads again under the lock of the calendars, and raises the versions of those that have changed. */
function readRaised(pool: Pool, stale: readonly Snapshot[]): Promise<Snapshot[]> {
  const spaceIds = stale.map(({ spaceId }) => spaceId);
  const queries = stale.flatMap(({ ranges }) => ranges.map(({ query }) => query));
  return inTransaction(pool, async (db) => {
    await insertCalendars(db, { spaceIds });
    await lockCalendars(db, { spaceIds });
    const snapshots = await readSnapshots(db, queries, 'all');
    const changed = snapshots.filter(isStale);
    const raised = await raiseVersions(db, {
      spaceIds: changed.map(({ spaceId }) => spaceId),
      fingerprints: changed.map(({ fingerprint }) => fingerprint),
    });
    const versions = new Map(raised.map(({ spaceId, version }) => [spaceId, version]));
    return snapshots.map((snapshot) => ({
      ...snapshot,
      version: versions.get(snapshot.spaceId) ?? snapshot.version,
    }));
  });
}

/** `changed`: without the holds where the reader's version is the present one. Unknown spaces are left out. */
async function readSnapshots(
  db: Queryable,
  queries: readonly CalendarQuery[],
  which: 'changed' | 'all',
): Promise<Snapshot[]> {
  const rows = await readCalendarRows(db, {
    spaceIds: queries.map(({ spaceId }) => spaceId),
    froms: queries.map(({ from }) => from),
    tos: queries.map(({ to }) => to),
    afters: queries.map(({ after }) => (which === 'changed' ? (after ?? null) : null)),
  });
  const snapshots = new Map<string, Snapshot>();
  for (const { spaceId, terms, holds, version, fingerprint, now } of rows) {
    if (!terms) continue;
    snapshots.set(spaceId, {
      ...{ spaceId, terms, version, now, ranges: [] },
      storedFingerprint: fingerprint,
      fingerprint: toFingerprint(terms, holds, now),
    });
  }
  for (const { spaceId, place, occupied } of rows) {
    const query = queries[place - 1];
    if (query) snapshots.get(spaceId)?.ranges.push({ query, occupied });
  }
  return [...snapshots.values()];
}

function toCalendars({ terms, version, now, ranges }: Snapshot): [CalendarQuery, SpaceCalendar][] {
  return ranges.map(({ query, occupied }) => [
    query,
    {
      // A calendar that is not stale has been read before.
      version: version as number,
      space: terms,
      now,
      occupied: occupied?.map(toSlot) ?? null,
    },
  ]);
}

function toSlot([startMs, endMs]: [number, number]) {
  return { startAt: new Date(startMs), endAt: new Date(endMs) };
}
