import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { projectFile } from '#platform/config/project.ts';
import { applyMigrations } from '#platform/database/migrate.ts';
import { openPostgres } from '#platform/database/postgres.ts';
import { postgresInbox } from '#platform/messaging/inbox.ts';
import { createLogger } from '#platform/observability/logger.ts';
import { countWrittenRows, perBooking, type WrittenRows } from '../../measurement/written-rows.ts';
import { slotDealer } from '../../system/spaces.ts';
import type { System } from '../../system/system.ts';
import { collectAcknowledgements } from './acknowledgements.ts';
import { runLifecycle } from './booking-lifecycle.ts';
import { startViewThread } from './view-thread.ts';

const contexts = ['book', 'payment', 'space'] as const;
const log = createLogger('bench', 'silent');

export interface LimitResults {
  seconds: number;
  bookingsPerSecond: number;
  bookings: number;
  /** For each booking. */
  written: WrittenRows;
}

/**
 * How many bookings a second the databases process when nothing but their SQL runs: one program, prepared
 * statements, `clients` bookings at once, on databases of its own next to those of the system, which is
 * idle meanwhile.
 */
export async function measureLimit(
  system: System,
  spaceIds: readonly string[],
  load: {
    clients: number;
    warmUpSeconds: number;
    seconds: number;
    atStart: () => void;
    atEnd: () => void;
  },
): Promise<LimitResults> {
  await createDatabases(system, spaceIds);
  const openPool = (name: string) => openPostgres(system.postgresUrl(`limit_${name}`), log);
  const pools = { book: openPool('book'), payment: openPool('payment'), space: openPool('space') };
  const views = startViewThread(viewDatabaseUrl(system));
  const inboxes = {
    book: postgresInbox(pools.book).findRecorded,
    payment: postgresInbox(pools.payment).findRecorded,
    space: postgresInbox(pools.space).findRecorded,
    mypage: views.findRecorded,
  };
  const collectors = {
    book: collectAcknowledgements(pools.book, inboxes),
    payment: collectAcknowledgements(pools.payment, inboxes),
    space: collectAcknowledgements(pools.space, inboxes),
  };
  const written = await countWrittenRows(
    system.postgresUrl,
    contexts.map((name) => `limit_${name}`),
  );

  const nextSlot = slotDealer(spaceIds);
  const start = performance.now() + load.warmUpSeconds * 1_000;
  const end = start + load.seconds * 1_000;
  let completed = 0;
  let bookings = 0;
  let now = performance.now();
  let started = false;
  const clients = Array.from({ length: load.clients }, async (_, client) => {
    while (now < end) {
      await runLifecycle(
        {
          ...pools,
          project: views.project,
          committed: (outbox, event) => collectors[outbox].committed(event),
        },
        `customer-${client}`,
        nextSlot(),
      );
      now = performance.now();
      completed += 1;
      if (now >= start && now < end) bookings += 1;
      if (now >= start && !started) {
        started = true;
        load.atStart();
      }
    }
  });
  try {
    await Promise.all(clients);
    load.atEnd();
  } finally {
    const left = await Promise.all(Object.values(collectors).map((each) => each.stop()));
    if (left.some((count) => count > 0)) log.warn('some events were not acknowledged');
    await Promise.all(Object.values(pools).map((pool) => pool.end()));
    await views.close();
  }
  return {
    seconds: load.seconds,
    bookingsPerSecond: bookings / load.seconds,
    bookings,
    written: perBooking(await written(), completed),
  };
}

function viewDatabaseUrl(system: System): string {
  return pathToFileURL(join(system.home, 'limit-mypage.sqlite')).href;
}

/** By the same migrations, with the same spaces. */
async function createDatabases(system: System, spaceIds: readonly string[]): Promise<void> {
  await run(system.postgresUrl('postgres'), async (client) => {
    for (const name of contexts) await client.query(`CREATE DATABASE limit_${name}`);
  });
  for (const name of contexts) {
    await applyMigrations({
      databaseUrl: system.postgresUrl(`limit_${name}`),
      migrationsDir: projectFile(`prisma/${name}/migrations`),
      log,
    });
  }
  await applyMigrations({
    databaseUrl: viewDatabaseUrl(system),
    migrationsDir: projectFile('prisma/mypage/migrations/sqlite'),
    log,
  });
  await copySpaces(system, 'book', 'catalogue_space', spaceIds);
  await copySpaces(system, 'space', 'space', spaceIds);
}

async function copySpaces(
  system: System,
  database: 'book' | 'space',
  table: string,
  spaceIds: readonly string[],
): Promise<void> {
  const spaces = await run(system.postgresUrl(database), (client) =>
    client.query(
      `SELECT coalesce(json_agg(t), '[]')::text AS rows FROM ${table} t WHERE id = ANY($1::uuid[])`,
      [spaceIds],
    ),
  );
  await run(system.postgresUrl(`limit_${database}`), (client) =>
    client.query(
      `INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1::json)`,
      [spaces.rows[0].rows],
    ),
  );
}

async function run<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
