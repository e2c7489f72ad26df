import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { spaceEvents } from '#contracts/space.ts';
import { postgresAuditLog } from '#platform/operator/audit.ts';
import { updateSpace } from '../src/application/update-space.ts';
import type { Space } from '../src/domain/space.ts';
import { changeSpace, type SpaceChanges } from '../src/domain/space-changes.ts';
import { validChanges, validListing } from './a-listing.ts';
import { openSpaceContext, type SpaceContext } from './a-space-context.ts';

const hana = { userId: 'hana', isHost: true, isOperator: false };
const olga = { userId: 'olga', isHost: false, isOperator: true };

let context: SpaceContext;

beforeAll(async () => {
  context = await openSpaceContext();
});
beforeEach(() => {
  context.published.length = 0;
});
afterAll(() => context?.stop());

const update = (space: Space, changes: SpaceChanges, principal = hana) =>
  updateSpace(context.ports, principal, {
    spaceId: space.id,
    expectedVersion: space.version,
    changes,
  });
const find = async (id: string) => (await context.ports.spaces.find(id)) as Space;
const auditOf = (subjectId: string) =>
  postgresAuditLog(context.database.pool).list({ subjectId, userId: null }, null, 20);
const eventsOf = (id: string) =>
  context.database.query<{ type: string; version: number; payload: object }>(
    `SELECT type, version, schema_version AS "schemaVersion", payload FROM outbox
      WHERE aggregate_id = $1 ORDER BY version`,
    [id],
  );
/** Ids of add-ons are made where they are new. */
const withoutIds = (space: Space) => ({
  ...space,
  addOns: space.addOns.map(({ id, ...addOn }) => addOn),
});

describe('any listing and any change', () => {
  test('a random valid listing is stored and published as it was listed', async () => {
    await fc.assert(
      fc.asyncProperty(validListing, async (listing) => {
        const listed = await context.list(listing);
        expect(await find(listed.id)).toEqual(listed);
        const given = Object.entries(listing).filter(([, value]) => value !== null);
        for (const [field, value] of given) {
          if (Array.isArray(value)) expect(listed[field as keyof Space]).toHaveLength(value.length);
          else if (typeof value !== 'object') expect(listed).toHaveProperty(field, value);
        }
        const [event] = await eventsOf(listed.id);
        expect(event).toMatchObject({ type: 'SpaceListed', version: 1, schemaVersion: 2 });
        const { id, description, address, photos, amenities, version, listedAt, ...terms } = listed;
        const payload = spaceEvents.SpaceListed.payload.parse(event?.payload);
        expect(payload).toEqual({ spaceId: id, ...terms });
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test('random changes in a row store what applying them in memory gives', async () => {
    await fc.assert(
      fc.asyncProperty(
        validListing,
        fc.array(validChanges, { minLength: 1, maxLength: 4 }),
        async (listing, changes) => {
          let space = await context.list(listing);
          for (const change of changes) {
            const expected = changeSpace(space, change, uuidv7);
            const updated = await update(space, change);
            if ('type' in expected || 'type' in updated) {
              // Booking rules that are valid alone may not fit those that stay.
              expect(updated).toEqual(expected);
              continue;
            }
            expect(withoutIds(updated)).toEqual(withoutIds(expected.space));
            space = await find(space.id);
            expect(space).toEqual(updated);
          }
          const versions = (await eventsOf(space.id)).map(({ version }) => version);
          expect(versions).toEqual(Array.from({ length: space.version }, (_, at) => at + 1));
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('the update of a space', () => {
  test('of ten concurrent updates of one version one succeeds, and the others see the space it made', async () => {
    const space = await context.list();
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) => update(space, { name: `Loft ${index}` })),
    );
    const winners = results.filter((result) => !('type' in result));
    expect(winners).toHaveLength(1);
    const present = await find(space.id);
    expect(winners).toEqual([present]);
    expect(present.version).toBe(2);
    for (const result of results.filter((each) => 'type' in each)) {
      expect(result).toEqual({
        type: 'SpaceChanged',
        message: expect.stringContaining('version 2'),
        space: present,
      });
    }
    expect(await eventsOf(space.id)).toMatchObject([{ version: 1 }, { version: 2 }]);
    expect(await auditOf(space.id)).toHaveLength(2);
  });

  test('an update that waits for the row of a newer version changes nothing', async () => {
    const space = await context.list();
    const { database } = context;
    const waiting = await database.whileLocked(
      `UPDATE space SET version = 2, name = 'Attic' WHERE id = '${space.id}'`,
      async () => {
        const pending = update(space, { name: 'Cellar' });
        for (;;) {
          const blocked = await database.query(
            `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
          );
          if (blocked.length > 0) return { pending };
        }
      },
    );
    expect(await waiting.pending).toMatchObject({
      type: 'SpaceChanged',
      space: { name: 'Attic', version: 2 },
    });
    expect(await eventsOf(space.id)).toHaveLength(1);
    expect(await auditOf(space.id)).toHaveLength(1);
  });

  test('an update publishes SpaceChanged and records the changed fields, in its transaction', async () => {
    const space = await context.list();
    await update(space, { capacity: 12, photos: [{ url: 'https://a.example/1', alt: '' }] });
    expect(context.published).toMatchObject([
      { type: 'SpaceListed', version: 1 },
      {
        type: 'SpaceChanged',
        version: 2,
        topic: 'space',
        payload: { spaceId: space.id, capacity: 12 },
      },
    ]);
    const [entry] = await auditOf(space.id);
    expect(entry).toMatchObject({ userId: 'hana', actedAs: 'host', action: 'updateSpace' });
    expect(entry?.details).toEqual({
      version: 2,
      changed: expect.arrayContaining(['capacity', 'includedHeadcount', 'photos']),
    });
    const transactions = await context.database.query(
      `SELECT xmin::text FROM space WHERE id = $1
       UNION SELECT xmin::text FROM outbox WHERE aggregate_id = $1 AND version = 2
       UNION SELECT xmin::text FROM audit_entry WHERE id = $2`,
      [space.id, entry?.id],
    );
    expect(transactions).toHaveLength(1);
  });

  test('an update that changes nothing, is refused or is late publishes and records nothing', async () => {
    const space = await context.list();
    expect(await update(space, { name: 'Loft', capacity: 10 })).toEqual(space);
    expect(await update(space, { capacity: 0 })).toMatchObject({ type: 'InvalidSpace' });
    expect(await update({ ...space, version: 0 }, { name: 'Attic' })).toMatchObject({
      type: 'SpaceChanged',
      space,
    });
    expect(context.published).toHaveLength(1);
    expect(await eventsOf(space.id)).toHaveLength(1);
    expect(await auditOf(space.id)).toHaveLength(1);
    expect(await find(space.id)).toEqual(space);
  });

  test('the space of another host is like one that does not exist, also with its version wrong', async () => {
    const space = await context.list();
    const lee = { userId: 'lee', isHost: true, isOperator: false };
    const notFound = { type: 'SpaceNotFound', message: 'There is no such space.' };
    expect(await update(space, { name: 'Mine' }, lee)).toEqual(notFound);
    expect(await update({ ...space, version: 9 }, { capacity: 0 }, lee)).toEqual(notFound);
    expect(await update({ ...space, id: uuidv7() }, { name: 'Mine' }, lee)).toEqual(notFound);
    expect(await find(space.id)).toEqual(space);
  });

  test('an operator changes any space, as an operator, also one who hosts other spaces', async () => {
    const space = await context.list();
    const first = (await update(space, { state: 'PAUSED' }, olga)) as Space;
    expect(first.state).toBe('PAUSED');
    await update(first, { state: 'ACTIVE' }, { ...olga, isHost: true });
    const entries = await auditOf(space.id);
    expect(entries.map(({ userId, actedAs }) => [userId, actedAs])).toEqual([
      ['olga', 'operator'],
      ['olga', 'operator'],
      ['hana', 'host'],
    ]);
  });

  test('a space that release 0.2.0 listed has the default terms, and can be changed', async () => {
    const id = uuidv7();
    await context.database.query(
      `INSERT INTO space (id, host_id, name, description, address, time_zone, capacity, hourly_rate,
              currency, opening_hours, refund_tiers, version, listed_at)
       SELECT $1, host_id, 'Old', '', '', time_zone, 7, 5, 'USD', opening_hours, refund_tiers, 1, now()
         FROM space LIMIT 1`,
      [id],
    );
    const old = await find(id);
    expect(old).toMatchObject({
      includedHeadcount: 7,
      state: 'ACTIVE',
      photos: [],
      vatPercent: 10,
    });
    expect(await update(old, { capacity: 9 })).toMatchObject({ includedHeadcount: 9, version: 2 });
  });
});
