import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openViewDatabase } from '../../../subgraphs/mypage/src/adapters/view-database.ts';
import { createDatabase, migrate } from '../../support/database.ts';
import { findViolations } from './check-invariants.ts';
import {
  type ConsistentData,
  type ContextDatabases,
  insertConsistentData,
} from './consistent-data.ts';

type ViewDatabase = Awaited<ReturnType<typeof openViewDatabase>>;

interface CorruptibleData extends ConsistentData, ContextDatabases {
  inViews(change: (views: ViewDatabase) => Promise<unknown>): Promise<void>;
}

/** One change that makes consistent data inconsistent. */
export interface Corruption {
  name: string;
  corrupt(data: CorruptibleData): Promise<unknown>;
  /** All invariants that are violated then, and no others. */
  violates: string[];
}

/** Tests that the check finds exactly the violations of each corruption. */
export function testCorruptions(corruptions: readonly Corruption[]): void {
  let databases: ContextDatabases;
  let folder: string;
  let viewsUrl: string;
  let data: ConsistentData;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'invariants-'));
    viewsUrl = `file:${join(folder, 'mypage.sqlite')}`;
    await migrate(viewsUrl, 'prisma/mypage/migrations/sqlite');
    databases = {
      book: await createDatabase('book'),
      payment: await createDatabase('payment'),
      space: await createDatabase('space'),
    };
    await dropConstraints(databases);
  });

  afterAll(async () => {
    for (const database of Object.values(databases ?? {})) await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    data = await insertConsistentData(databases, viewsUrl);
  });

  /** The names of the violated invariants, each once. */
  async function violatedInvariants(): Promise<string[]> {
    const { book, payment, space } = databases;
    const admin = process.env.TEST_POSTGRES_URL as string;
    const urls = {
      admin,
      // A system has a database of its queues, without the tables of a context.
      contexts: { book: book.url, payment: payment.url, space: space.url, queue: admin },
      views: viewsUrl,
    };
    const found = await findViolations(urls, data.records, new Date(0));
    return [...new Set(found.map(({ invariant }) => invariant))].sort();
  }

  async function inViews(change: (views: ViewDatabase) => Promise<unknown>): Promise<void> {
    const views = await openViewDatabase(viewsUrl);
    await change(views);
    await views.$disconnect();
  }

  test.each<Corruption>([...corruptions])(
    'the check of the invariants finds $name',
    async ({ corrupt, violates }) => {
      await corrupt({ ...databases, ...data, inViews });
      expect(await violatedInvariants()).toEqual([...violates].sort());
    },
  );
}

/** The invariants must find what these constraints prevent in production. */
async function dropConstraints({ book, payment, space }: ContextDatabases): Promise<void> {
  await book.query(`ALTER TABLE booking DROP CONSTRAINT booking_no_overlap,
    DROP CONSTRAINT booking_live_by_status, DROP CONSTRAINT booking_payment_method_erased`);
  await book.query('ALTER TABLE slot_hold DROP CONSTRAINT slot_hold_no_overlap');
  await book.query('DROP INDEX booking_customer_id_idempotency_key_key');
  await book.query('DROP INDEX outbox_aggregate_id_version_key');
  await space.query('ALTER TABLE registration DROP CONSTRAINT registration_no_overlap');
  await space.query('DROP INDEX registration_booking_id_key');
  await space.query('DROP INDEX registration_payment_id_key');
  await payment.query('DROP INDEX payment_booking_id_key');
  for (const { query } of [book, space]) {
    await query('DROP TRIGGER audit_entry_append_only ON audit_entry');
    await query('DROP TRIGGER audit_entry_erasure ON audit_entry');
  }
}
