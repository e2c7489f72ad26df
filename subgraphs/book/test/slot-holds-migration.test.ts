import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { projectFile } from '#platform/config/project.ts';
import { applyMigrations } from '#platform/database/migrate.ts';
import { createDatabase, silent, type TestDatabase } from '../../../tests/support/database.ts';

const MIGRATION = '20261124224500_slot_holds';
const migrations = projectFile('prisma/book/migrations');

let database: TestDatabase;
let earlier: string;

beforeEach(async () => {
  database = await createDatabase();
  earlier = await mkdtemp(join(tmpdir(), 'migrations-'));
  for (const name of await readdir(migrations)) {
    if (name < MIGRATION)
      await cp(join(migrations, name), join(earlier, name), { recursive: true });
  }
});
afterEach(async () => {
  await database?.drop();
  await rm(earlier, { recursive: true, force: true });
});

test('the migration to slot holds gives every booking its hold, live as the booking is', async () => {
  const migrate = (migrationsDir: string) =>
    applyMigrations({ databaseUrl: database.url, migrationsDir, log: silent });
  await migrate(earlier);
  const spaceId = uuidv7();
  const insertBooking = (id: string, status: string, live: boolean) =>
    database.query(
      `INSERT INTO booking (id, customer_id, idempotency_key, space_id, host_id, space_name,
              time_zone, start_at, end_at, headcount, price_amount, currency, refund_tiers,
              payment_method, status, live, version, requested_at, hold_expires_at, correlation_id)
       VALUES ($1::uuid, 'chulsoo', $1::text, $2, 'hana', 'Loft', 'Asia/Seoul', '2030-06-03 01:00Z',
               '2030-06-03 03:00Z', 1, 1000, 'KRW', '[]', '', $3::booking_status, $4, 1, now(),
               now(), 'test') ON CONFLICT DO NOTHING RETURNING id`,
      [id, spaceId, status, live],
    );
  const [expired, registered] = [uuidv7(), uuidv7()];
  await insertBooking(expired, 'EXPIRED', false);
  await insertBooking(registered, 'REGISTERED', true);
  expect(await migrate(migrations)).toContain(MIGRATION);

  const holds = await database.query(
    `SELECT h.owner_id AS owner, h.live FROM slot_hold h JOIN booking b ON b.id = h.booking_id
        AND (b.space_id, b.start_at, b.end_at) = (h.space_id, h.start_at, h.end_at) ORDER BY h.id`,
  );
  expect(holds).toEqual([
    { owner: expired, live: false },
    { owner: registered, live: true },
  ]);
  expect(await insertBooking(uuidv7(), 'REQUESTED', true)).toEqual([]);
});
