import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { projectFile } from '#platform/config/project.ts';
import { applyMigrations } from '#platform/database/migrate.ts';
import { silent } from '../../../tests/support/database.ts';
import { prismaViewStore } from '../src/adapters/prisma-view-store.ts';
import { openViewDatabase } from '../src/adapters/view-database.ts';
import { bookingEvent } from './a-history.ts';
import { engines } from './engines.ts';

const INIT = '20261122000000_init';

describe.each(engines)('the migration to generations on $name', ({ name, createEmpty }) => {
  let database: { url: string; drop(): Promise<void> };
  let old: string;
  const migrations = projectFile(
    `prisma/mypage/migrations/${name === 'SQLite' ? 'sqlite' : 'mysql'}`,
  );
  const migrate = (migrationsDir: string) =>
    applyMigrations({ databaseUrl: database.url, migrationsDir, log: silent });

  beforeEach(async () => {
    old = await mkdtemp(join(tmpdir(), 'migrations-'));
    await cp(join(migrations, INIT), join(old, INIT), { recursive: true });
    database = await createEmpty();
  });
  afterEach(async () => {
    await database?.drop();
    await rm(old, { recursive: true, force: true });
  });

  test('the migration turns existing views into the live generation, which projectors continue', async () => {
    await migrate(old);
    const [bookingId, eventId] = [uuidv7(), uuidv7()];
    const prisma = await openViewDatabase(database.url);
    try {
      const at = name === 'SQLite' ? '2030-05-01T00:00:01.123+00:00' : '2030-05-01 00:00:01.123';
      await prisma.$executeRawUnsafe(
        `INSERT INTO booking_status_view (booking_id, customer_id, status, space_name, start_at,
                end_at, price_amount, currency, payment_status, refunded, registration_status,
                booking_version, payment_version, registration_version, version, updated_at)
         VALUES ('${bookingId}', 'chulsoo', 'REQUESTED', 'Loft', '${at}', '${at}', 60000, 'KRW',
                 NULL, 0, NULL, 1, 0, 0, 1, '${at}')`,
      );
      await prisma.$executeRawUnsafe(
        `INSERT INTO status_change VALUES ('${bookingId}', 1, 'REQUESTED', '${at}')`,
      );
      await prisma.$executeRawUnsafe(`INSERT INTO inbox VALUES ('${eventId}', '${at}')`);
      expect((await migrate(migrations)).length).toBeGreaterThan(0);

      const views = prismaViewStore(prisma);
      const instant = new Date('2030-05-01T00:00:01.123Z');
      expect(await views.find('chulsoo', bookingId)).toMatchObject({
        status: 'REQUESTED',
        startAt: instant,
        priceAmount: 60_000,
        version: 1,
        updatedAt: instant,
      });
      expect(await views.findRecorded([eventId])).toEqual([eventId]);
      await views.project([bookingEvent(2, 'PAID', { bookingId })]);
      expect(await views.find('chulsoo', bookingId)).toMatchObject({ status: 'PAID', version: 2 });
      const timeline = (await views.timelines([bookingId])).get(bookingId);
      expect(timeline?.map(({ status }) => status)).toEqual(['REQUESTED', 'PAID']);
      expect(timeline?.[0]?.at).toEqual(instant);
    } finally {
      await prisma.$disconnect();
    }
  });
});
