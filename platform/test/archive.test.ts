import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import type { ContextName } from '#contracts/topology.ts';
import { createDatabase, silent, type TestDatabase } from '../../tests/support/database.ts';
import { until } from '../../tests/support/system.ts';
import { statement } from '../database/postgres.ts';
import { archiveAcknowledged, firstIdAt, startArchiving } from '../messaging/archive.ts';
import type { EventRecord, StoredEvent } from '../messaging/events.ts';
import { insertOutbox } from '../messaging/outbox.ts';
import { serveStoredEvents, storedEvents } from '../messaging/stored-events.ts';

const HOUR = 3_600_000;
const NIL = '00000000-0000-0000-0000-000000000000';
const insertEvents = statement('test-insert', insertOutbox('$1'));

let database: TestDatabase;

beforeAll(async () => {
  // Payment's outbox stands for all of them: the tables are the same everywhere.
  database = await createDatabase('payment');
});
beforeEach(async () => {
  await database.query('TRUNCATE outbox, event_archive');
});
afterAll(async () => {
  await database?.drop();
});

function eventAt(time: number, ...awaiting: ContextName[]): EventRecord {
  return {
    id: uuidv7({ msecs: time }),
    topic: 'tests',
    type: 'Tested',
    aggregateId: uuidv7(),
    version: 3,
    schemaVersion: 2,
    occurredAt: new Date(time).toISOString(),
    correlationId: 'test',
    payload: { any: 'thing', more: [1, null] },
    awaiting,
  };
}

const commit = (events: EventRecord[]) => insertEvents(database.pool, JSON.stringify(events));
const idsIn = async (table: 'outbox' | 'event_archive') =>
  (await database.query<{ id: string }>(`SELECT id FROM ${table} ORDER BY id`)).map(({ id }) => id);
const sortedIds = (events: { id: string }[]) => events.map(({ id }) => id).sort();
const toStored = ({ awaiting, ...event }: EventRecord): StoredEvent => event;
const archive = (before = firstIdAt(Date.now()), limit = 500) =>
  archiveAcknowledged(database.pool, { after: NIL, before }, limit);

describe('archiving', () => {
  test('archiving moves events that are acknowledged and old, and leaves the others in the outbox', async () => {
    const now = Date.now();
    const old = [eventAt(now - 3 * HOUR), eventAt(now - 2 * HOUR)];
    const kept = [eventAt(now - 2 * HOUR, 'mypage'), eventAt(now - HOUR / 2), eventAt(now)];
    await commit([...kept, ...old]);
    expect(await archive(firstIdAt(now - HOUR))).toEqual({ moved: 2, last: sortedIds(old)[1] });
    expect(await idsIn('event_archive')).toEqual(sortedIds(old));
    expect(await idsIn('outbox')).toEqual(sortedIds(kept));
  });

  test('archiving keeps every field of the event', async () => {
    const event = eventAt(Date.now() - HOUR);
    await commit([event]);
    await archive();
    expect(await storedEvents(database.pool).page(null, 10)).toEqual([toStored(event)]);
  });

  test('an archived event of an earlier release without a schema version has version 1', async () => {
    const { schemaVersion, ...older } = eventAt(Date.now() - HOUR);
    await commit([older]);
    await archive();
    const stored = await storedEvents(database.pool).page(null, 10);
    expect(stored).toMatchObject([{ id: older.id, schemaVersion: 1 }]);
    expect(schemaVersion).toBe(2);
  });

  test('archiving continues after the events that it has moved, oldest first, and skips unacknowledged ones', async () => {
    const now = Date.now();
    const events = Array.from({ length: 7 }, (_, index) => eventAt(now - HOUR + index));
    const stuck = eventAt(now - 2 * HOUR, 'space');
    await commit([stuck, ...events]);
    const first = await archive(undefined, 5);
    expect(first).toEqual({ moved: 5, last: events[4]?.id });
    const rest = { after: first.last as string, before: firstIdAt(now) };
    expect((await archiveAcknowledged(database.pool, rest, 5)).moved).toBe(2);
    expect(await idsIn('outbox')).toEqual([stuck.id]);
  });

  test('archiving skips a locked row without waiting, and moves it in the next round', async () => {
    const events = [eventAt(Date.now() - HOUR), eventAt(Date.now() - HOUR)];
    await commit(events);
    await database.whileLocked(
      `SELECT FROM outbox WHERE id = '${events[0]?.id}' FOR UPDATE`,
      async () => expect((await archive()).moved).toBe(1),
    );
    expect((await archive()).moved).toBe(1);
  });

  test('concurrent archivers move each event once', async () => {
    const events = Array.from({ length: 300 }, () => eventAt(Date.now() - HOUR));
    await commit(events);
    const rounds = await Promise.all(Array.from({ length: 6 }, () => archive(undefined, 100)));
    const moved = rounds.reduce((sum, round) => sum + round.moved, 0);
    expect(await idsIn('event_archive')).toHaveLength(moved);
    expect((await idsIn('outbox')).length + moved).toBe(300);
  });

  test('the archiving job continues by itself until the outbox is empty when it keeps no hours', async () => {
    const events = Array.from({ length: 1_200 }, () => eventAt(Date.now() - 1_000));
    await commit(events);
    const stop = startArchiving({ pool: database.pool, keepHours: 0, logger: silent });
    try {
      await until('all are archived', async () => (await idsIn('outbox')).length === 0, 25);
    } finally {
      await stop();
    }
    expect(await idsIn('event_archive')).toEqual(sortedIds(events));
  });
});

describe('the stored events over HTTP', () => {
  let app: FastifyInstance;
  let address: string;

  beforeAll(async () => {
    app = Fastify({ forceCloseConnections: true });
    serveStoredEvents(app, storedEvents(database.pool));
    address = await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(async () => {
    await app?.close();
  });

  const get = async (url: string) => {
    const response = await fetch(`${address}${url}`);
    // biome-ignore lint/suspicious/noExplicitAny: tests reach into responses and fail where they differ
    return { status: response.status, ...((await response.json()) as any) };
  };

  test('stored events are read page by page in the order of their ids, archived or not', async () => {
    const events = Array.from({ length: 9 }, (_, index) => eventAt(Date.now() - HOUR + index));
    await commit(events);
    await archive(events[5]?.id);
    expect((await idsIn('event_archive')).length).toBe(5);
    const seen: StoredEvent[] = [];
    for (let next: string | null = NIL; next; ) {
      const response: { events: StoredEvent[]; next: string | null } = await get(
        `/events?after=${next}&limit=2`,
      );
      seen.push(...response.events);
      next = response.next;
    }
    expect(seen).toEqual(events.map(toStored));
    expect((await get('/events')).events).toHaveLength(9);
    expect(await get('/events/count')).toEqual({ status: 200, count: 9 });
  });

  test('stored events are each read exactly once while they are being archived', async () => {
    const events = Array.from({ length: 2_000 }, () => eventAt(Date.now() - HOUR));
    await commit(events);
    let moving = true;
    const archiving = (async () => {
      while ((await archive(undefined, 20)).moved > 0);
      moving = false;
    })();
    let reads = 0;
    while (moving) {
      const page = (await get('/events?limit=1000')).events as StoredEvent[];
      expect(new Set(sortedIds(page)).size).toBe(1_000);
      expect(page.map(({ id }) => id)).toEqual(sortedIds(events).slice(0, 1_000));
      reads += 1;
    }
    await archiving;
    expect(reads).toBeGreaterThan(2);
  });

  test.each(['after=yesterday', 'limit=0', 'limit=1001', 'limit=many'])(
    'a request for stored events with %s is refused',
    async (query) => {
      expect((await get(`/events?${query}`)).status).toBe(400);
    },
  );
});
