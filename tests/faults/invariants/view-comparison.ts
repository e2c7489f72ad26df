import { isDeepStrictEqual } from 'node:util';
import { bookingEvents } from '#contracts/book.ts';
import { topology } from '#contracts/topology.ts';
import { liveGeneration } from '../../../subgraphs/mypage/src/adapters/live-generation.ts';
import { openViewDatabase } from '../../../subgraphs/mypage/src/adapters/view-database.ts';
import {
  type BookingStatusView,
  HOST_FIELDS,
  type ProjectedEvent,
  project,
  toStatusChange,
} from '../../../subgraphs/mypage/src/booking-status-view.ts';
import type { Violation } from './invariant.ts';
import { queryRows } from './query-rows.ts';
import type { ContextUrls } from './snapshot-tables.ts';

const AGGREGATES = { book: 'booking', payment: 'payment', space: 'registration' } as const;

interface ViewWithTimeline {
  view: BookingStatusView;
  timeline: string[];
}

/**
 * Projects the events in the outboxes with mypage's own projection and compares the views with the
 * stored ones, for bookings requested at or after `since`. With `hasOlderViews` a stored view may lack what
 * releases up to 0.2.0 do not project.
 */
export async function compareViews(
  urls: ContextUrls,
  viewsUrl: string,
  { since, hasOlderViews }: { since: Date; hasOlderViews: boolean },
): Promise<Violation[]> {
  const bookings = await queryRows<{ id: string; status: string }>(
    urls.book,
    'SELECT id, status::text FROM booking WHERE requested_at >= $1',
    [since],
  );
  const ids = bookings.map(({ id }) => id);
  const expected = await projectViews(urls, ids);
  const stored = await readStoredViews(viewsUrl, since);
  const violations: Violation[] = [];
  const report = (subject: string, detail: string) =>
    violations.push({
      invariant: "mypage's views equal the projection of the events",
      kind: 'lost',
      subject,
      detail,
    });

  for (const { id, status } of bookings) {
    const wanted = expected.get(id);
    const found = stored.get(id);
    if (hasOlderViews && wanted && found) forgetLacking(wanted.view, found.view);
    if (!wanted || !found) report(id, found ? 'there are no events' : 'the view is missing');
    else if (!isDeepStrictEqual(found, wanted)) report(id, describeDifference(found, wanted));
    else if (found.view.status !== status) {
      report(id, `the view is ${found.view.status}, the booking is ${status}`);
    }
  }
  const compared = new Set(ids);
  for (const [id, { view }] of stored) {
    if (compared.has(id) || view.updatedAt < since) continue;
    const existing = await queryRows(urls.book, 'SELECT FROM booking WHERE id = $1', [id]);
    if (existing.length === 0) report(id, 'the view shows a booking that does not exist');
  }
  return violations;
}

/** Sets what the stored view lacks to null in the other one. */
function forgetLacking(wanted: BookingStatusView, found: BookingStatusView): void {
  for (const field of HOST_FIELDS) {
    if (found[field] === null) Object.assign(wanted, { [field]: null });
  }
}

async function projectViews(
  urls: ContextUrls,
  bookingIds: readonly string[],
): Promise<Map<string, ViewWithTimeline>> {
  const projected = new Map<string, ViewWithTimeline>();
  for (const context of ['book', 'payment', 'space'] as const) {
    type Row = {
      id: string;
      version: number;
      occurred_at: Date;
      payload: { bookingId: string };
    };
    const events = await queryRows<Row>(
      urls[context],
      `SELECT id, version, occurred_at, payload FROM outbox
        WHERE payload->>'bookingId' = ANY($1::text[]) AND type = ANY($2::text[]) ORDER BY version`,
      [bookingIds, topology.mypage.consumes],
    );
    for (const { id, version, occurred_at: occurredAt, payload } of events) {
      const event = {
        id,
        version,
        occurredAt,
        aggregate: AGGREGATES[context],
        // Stored as JSON: the only instants that the projection reads are a booking's.
        payload: context === 'book' ? bookingEvents.Booked.payload.parse(payload) : payload,
      } as unknown as ProjectedEvent;
      const before = projected.get(payload.bookingId);
      const change = toStatusChange(event);
      projected.set(payload.bookingId, {
        view: project(before?.view ?? null, event),
        timeline: [...(before?.timeline ?? []), ...(change ? [toTimelineEntry(change)] : [])],
      });
    }
  }
  const hosts = await readHosts(urls);
  for (const { view } of projected.values()) {
    view.hostId ??= hosts.get(view.spaceId ?? '') ?? null;
  }
  return projected;
}

/** The hosts of the spaces, which the bookings' own events need not name. */
async function readHosts(urls: ContextUrls): Promise<Map<string, string>> {
  const spaces = await queryRows<{ id: string; host_id: string }>(
    urls.space,
    'SELECT id, host_id FROM space',
    [],
  );
  return new Map(spaces.map(({ id, host_id }) => [id, host_id]));
}

/** The views that changed at or after `since`. */
async function readStoredViews(url: string, since: Date): Promise<Map<string, ViewWithTimeline>> {
  const prisma = await openViewDatabase(url);
  try {
    const stored = new Map<string, ViewWithTimeline>();
    const generation = await liveGeneration(prisma);
    const views = await prisma.bookingStatusView.findMany({
      where: { generation, updatedAt: { gte: since } },
      omit: { generation: true },
    });
    for (const view of views) stored.set(view.bookingId, { view, timeline: [] });
    const changes = await prisma.statusChange.findMany({
      where: { generation, at: { gte: since } },
      orderBy: { bookingVersion: 'asc' },
    });
    for (const change of changes) {
      stored.get(change.bookingId)?.timeline.push(toTimelineEntry(change));
    }
    return stored;
  } finally {
    await prisma.$disconnect();
  }
}

function toTimelineEntry(change: { bookingVersion: number; status: string; at: Date }): string {
  return `${change.bookingVersion} ${change.status} ${change.at.toISOString()}`;
}

function describeDifference(found: ViewWithTimeline, wanted: ViewWithTimeline): string {
  const names = Object.keys(wanted.view) as (keyof BookingStatusView)[];
  const fields = names
    .filter((name) => !isDeepStrictEqual(found.view[name], wanted.view[name]))
    .map((name) => `${name} is ${show(found.view[name])} instead of ${show(wanted.view[name])}`);
  if (!isDeepStrictEqual(found.timeline, wanted.timeline)) {
    fields.push(`the timeline is [${found.timeline}] instead of [${wanted.timeline}]`);
  }
  return fields.join(', ');
}

function show(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value);
}
