import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type Queryable, statement } from '../database/postgres.ts';
import type { StoredEvent } from './events.ts';
import { type EventRow, toStoredEvent } from './outbox.ts';

/** The paths at which a context serves all its events: no context reads another's database. */
export const EVENTS_PATH = '/events';
export const EVENT_COUNT_PATH = '/events/count';
export const MAX_PAGE_SIZE = 1_000;

/** All events of one context, archived or not. */
export interface StoredEvents {
  /**
   * Up to `limit` events after the id, in the order of their ids. That is only nearly the order of
   * time: an event that commits late may have a smaller id than one that was read already.
   */
  page(after: string | null, limit: number): Promise<StoredEvent[]>;
  /** Their number: exact up to 50,000, above that the planner's estimate. */
  count(): Promise<number>;
}

const COLUMNS =
  'id, topic, type, aggregate_id, version, schema_version, occurred_at, correlation_id, payload';
const NIL = '00000000-0000-0000-0000-000000000000';
const MAX_COUNTED = 50_000;

// One statement sees one snapshot: an event that is being archived is in exactly one of the two.
const pageAfter = statement<EventRow>(
  'events-page',
  `SELECT * FROM (
     (SELECT ${COLUMNS} FROM outbox WHERE id > $1::uuid ORDER BY id LIMIT $2)
      UNION ALL
     (SELECT ${COLUMNS} FROM event_archive WHERE id > $1::uuid ORDER BY id LIMIT $2)) both_tables
   ORDER BY id LIMIT $2`,
);

const countUpTo = statement<{ count: number }>(
  'events-count',
  `SELECT count(*)::int AS count FROM (
     SELECT FROM (SELECT FROM outbox UNION ALL SELECT FROM event_archive) both_tables LIMIT $1) few`,
);

// Counting millions of rows takes seconds; the planner's estimate follows the size of the tables.
const estimate = statement<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
  'events-estimate',
  'EXPLAIN (FORMAT JSON) SELECT FROM outbox UNION ALL SELECT FROM event_archive',
);

export function storedEvents(db: Queryable): StoredEvents {
  return {
    page: async (after, limit) => (await pageAfter(db, after ?? NIL, limit)).map(toStoredEvent),
    async count() {
      const [counted] = await countUpTo(db, MAX_COUNTED);
      if (counted && counted.count < MAX_COUNTED) return counted.count;
      const [row] = await estimate(db);
      return Math.round(row?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? MAX_COUNTED);
    },
  };
}

const pageRequest = z.object({
  after: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(MAX_PAGE_SIZE),
});

/** Serves the events at `GET /events?after=<id>&limit=<1…1000>`, and their number at `/events/count`. */
export function serveStoredEvents(app: FastifyInstance, events: StoredEvents): void {
  app.get(EVENTS_PATH, async (request, reply) => {
    const parsed = pageRequest.safeParse(request.query);
    if (!parsed.success) {
      const message = `after must be an id, limit a number from 1 to ${MAX_PAGE_SIZE}`;
      return reply.code(400).send({ message });
    }
    const { after, limit } = parsed.data;
    const page = await events.page(after ?? null, limit);
    return { events: page, next: page.length < limit ? null : page.at(-1)?.id };
  });
  app.get(EVENT_COUNT_PATH, async () => ({ count: await events.count() }));
}
