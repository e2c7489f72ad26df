import { isDeepStrictEqual } from 'node:util';
import { liveGeneration } from '../../../subgraphs/mypage/src/adapters/prisma-view-generations.ts';
import { openViewDatabase } from '../../../subgraphs/mypage/src/adapters/view-database.ts';
import {
  type BookingStatusView,
  type ProjectedEvent,
  project,
  statusChangeOf,
} from '../../../subgraphs/mypage/src/booking-status-view.ts';
import { rows } from './rows.ts';
import type { Databases } from './snapshot.ts';
import type { Violation } from './violation.ts';

const KINDS = { book: 'booking', payment: 'payment', space: 'registration' } as const;

interface Expected {
  view: BookingStatusView;
  timeline: string[];
}

/**
 * Makes every view anew from the events in the outboxes, with mypage's own projection, and compares
 * it with the stored one. Looks at bookings requested at or after `since`.
 */
export async function compareViews(
  databases: Databases,
  viewsUrl: string,
  since: Date,
): Promise<Violation[]> {
  const bookings = await rows<{ id: string; status: string }>(
    databases.book,
    'SELECT id, status::text FROM booking WHERE requested_at >= $1',
    [since],
  );
  const ids = bookings.map(({ id }) => id);
  const expected = await expectedViews(databases, ids);
  const stored = await storedViews(viewsUrl, since);
  const violations: Violation[] = [];
  const report = (culprit: string, detail: string) =>
    violations.push({
      invariant: 'mypage shows what the events say',
      kind: 'lost',
      culprit,
      detail,
    });

  for (const { id, status } of bookings) {
    const wanted = expected.get(id);
    const found = stored.get(id);
    if (!wanted || !found) report(id, found ? 'there are no events' : 'the view is missing');
    else if (!isDeepStrictEqual(found, wanted)) report(id, difference(found, wanted));
    else if (found.view.status !== status) {
      report(id, `it shows ${found.view.status}, book says ${status}`);
    }
  }
  const known = new Set(ids);
  for (const [id, { view }] of stored) {
    if (known.has(id) || view.updatedAt < since) continue;
    const there = await rows(databases.book, 'SELECT FROM booking WHERE id = $1', [id]);
    if (there.length === 0) report(id, 'it shows a booking that does not exist');
  }
  return violations;
}

async function expectedViews(
  databases: Databases,
  bookingIds: readonly string[],
): Promise<Map<string, Expected>> {
  const expected = new Map<string, Expected>();
  for (const [context, kind] of Object.entries(KINDS)) {
    type Row = { id: string; version: number; occurred_at: Date; payload: { bookingId: string } };
    const events = await rows<Row>(
      databases[context as keyof Databases],
      `SELECT id, version, occurred_at, payload FROM outbox
        WHERE payload->>'bookingId' = ANY($1::text[]) ORDER BY version`,
      [bookingIds],
    );
    for (const { id, version, occurred_at: occurredAt, payload } of events) {
      const event = {
        id,
        version,
        occurredAt,
        of: kind,
        facts: payload,
      } as unknown as ProjectedEvent;
      const before = expected.get(payload.bookingId);
      const change = statusChangeOf(event);
      expected.set(payload.bookingId, {
        view: project(before?.view ?? null, event),
        timeline: [...(before?.timeline ?? []), ...(change ? [entry(change)] : [])],
      });
    }
  }
  return expected;
}

/** Views that changed since, each with its timeline. */
async function storedViews(url: string, since: Date): Promise<Map<string, Expected>> {
  const prisma = await openViewDatabase(url);
  try {
    const stored = new Map<string, Expected>();
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
    for (const change of changes) stored.get(change.bookingId)?.timeline.push(entry(change));
    return stored;
  } finally {
    await prisma.$disconnect();
  }
}

function entry(change: { bookingVersion: number; status: string; at: Date }): string {
  return `${change.bookingVersion} ${change.status} ${change.at.toISOString()}`;
}

function difference(found: Expected, wanted: Expected): string {
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
