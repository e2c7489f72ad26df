import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { EventContract } from '#contracts/event-contract.ts';
import { serveStoredEvents, storedEvents } from '#platform/messaging/stored-events.ts';
import { createDatabase, silent, type TestDatabase } from '../../../tests/support/database.ts';
import { storedEventsClient } from '../src/adapters/stored-events-client.ts';

/** In version 1 the booking's id was `booking`. */
const contracts = {
  Tested: {
    topic: 'tests',
    payload: z.object({ bookingId: z.string(), status: z.enum(['ONE', 'TWO']) }),
    upcasts: [({ booking, ...rest }: { booking: string }) => ({ bookingId: booking, ...rest })],
  },
  NotForViews: { topic: 'tests', payload: z.object({}) },
} satisfies Record<string, EventContract>;

describe('the client of stored events', () => {
  let database: TestDatabase;
  let app: FastifyInstance;
  let client: ReturnType<typeof storedEventsClient>;

  beforeAll(async () => {
    database = await createDatabase('book');
    app = Fastify({ forceCloseConnections: true });
    serveStoredEvents(app, storedEvents(database.pool));
    const book = await app.listen({ host: '127.0.0.1', port: 0 });
    const source = { aggregate: 'booking', contracts } as const;
    client = storedEventsClient(
      { book, payment: book, space: book },
      async () => 'Bearer test',
      silent,
      { book: source, payment: source, space: source },
      { mypage: { publishes: {}, consumes: ['Tested'] } },
    );
  });

  afterAll(async () => {
    await client?.close();
    await app?.close();
    await database?.drop();
  });

  const insert = async (
    table: 'outbox' | 'event_archive',
    payload: object,
    { type = 'Tested', schemaVersion }: { type?: string; schemaVersion?: number } = {},
  ) => {
    const id = uuidv7();
    const columns = 'id, aggregate_id, version, topic, type, payload, correlation_id, occurred_at';
    const more = [
      ...(table === 'outbox'
        ? [
            ['awaiting', "'{}'"],
            ['next_attempt_at', 'now()'],
          ]
        : []),
      // The previous release inserts without it.
      ...(schemaVersion === undefined ? [] : [['schema_version', schemaVersion]]),
    ];
    await database.query(
      `INSERT INTO ${table} (${[columns, ...more.map(([name]) => name)].join(', ')})
       VALUES ($1, $2, 1, 'tests', $3, $4, 'test', now()${more.map(([, value]) => `, ${value}`).join('')})`,
      [id, uuidv7(), type, JSON.stringify(payload)],
    );
    return id;
  };

  test('stored events of every schema version are read alike, from the outbox and the archive', async () => {
    const old = { booking: 'b', status: 'ONE' };
    const present = { bookingId: 'b', status: 'ONE', invented: true };
    const ids = [
      await insert('event_archive', old),
      await insert('event_archive', present, { schemaVersion: 2 }),
      await insert('outbox', old),
      await insert('outbox', present, { schemaVersion: 2 }),
    ];
    const { events } = await client.page('book', null);
    expect(events.map(({ id, event, isUnreadable }) => [id, event?.payload, isUnreadable])).toEqual(
      ids.map((id) => [id, { bookingId: 'b', status: 'ONE' }, false]),
    );
  });

  test('stored events of newer releases are unreadable, those for other consumers are skipped', async () => {
    const first = await insert('outbox', { bookingId: 'b', status: 'ONE' }, { schemaVersion: 3 });
    await insert('outbox', { bookingId: 'b', status: 'THREE' }, { schemaVersion: 2 });
    await insert('outbox', {}, { type: 'Unknown' });
    await insert('outbox', {}, { type: 'NotForViews' });
    const { events } = await client.page('book', null);
    const from = events.findIndex(({ id }) => id === first);
    expect(events.slice(from).map(({ event, isUnreadable }) => [event, isUnreadable])).toEqual([
      [null, true],
      [null, true],
      [null, true],
      [null, false],
    ]);
  });
});
