import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import pg from 'pg';
import { firstIdAt } from '#platform/messaging/archive.ts';
import { ArchiveWriter } from './archive.ts';
import { backUpCluster } from './cluster-backup.ts';
import { CLUSTER, databaseFile, fileContexts, postgresContexts, secretFiles } from './home-data.ts';
import { type DatabaseSummary, FORMAT, type Manifest, ownRelease } from './manifest.ts';
import { type OpenHome, openHome } from './open-home.ts';
import { summarizePostgres, summarizeSqlite } from './summaries.ts';

/** Older events are compared as well, in case the clock was set back. */
const REDELIVER_MARGIN_MS = 3_600_000;
const LOCK_TIMEOUT_MS = 10_000;

export interface BackupOptions {
  home: string;
  /** A file that does not exist, or a folder; undefined: the folder `backups` of the home. */
  target?: string | undefined;
  say: (line: string) => void;
  /** The bytes of PostgreSQL's data that were copied. */
  onProgress: (bytes: number) => void;
  abort: AbortSignal;
}

/**
 * Writes a backup of a home's data, running or not, and resolves with its file. It has its final name only when
 * it is whole. Rejects with a sentence.
 */
export async function backUp(options: BackupOptions): Promise<{ file: string; bytes: number }> {
  const takenAt = new Date();
  const file = chooseFile(options, takenAt);
  const draft = `${file}.incomplete-${randomBytes(4).toString('hex')}`;
  const home = await openHome(options.home, options.say, options.abort);
  try {
    await write(options, home, draft, takenAt);
    if (existsSync(file)) throw new Error(`${file} exists already: nothing was written.`);
    renameSync(draft, file);
    return { file, bytes: statSync(file).size };
  } catch (error) {
    throw toSentence(error, file);
  } finally {
    rmSync(draft, { force: true });
    await home.close();
  }
}

function chooseFile({ home, target }: BackupOptions, takenAt: Date): string {
  const path = target === undefined ? join(home, 'backups') : resolve(target);
  if (target === undefined && existsSync(home)) mkdirSync(path, { recursive: true, mode: 0o700 });
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    const stamp = takenAt.toISOString().slice(0, 19).replaceAll(':', '-');
    return join(path, `spacerent-${stamp}Z.tar.gz`);
  }
  if (existsSync(path)) throw new Error(`${path} exists already: nothing was written.`);
  if (target !== undefined && !existsSync(dirname(path))) {
    throw new Error(`The folder ${dirname(path)} does not exist.`);
  }
  return path;
}

async function write(
  options: BackupOptions,
  home: OpenHome,
  draft: string,
  takenAt: Date,
): Promise<void> {
  const { onProgress, abort } = options;
  const databases: Record<string, DatabaseSummary> = {};
  for (const name of postgresContexts) databases[name] = await summarizePostgres(home.urlOf(name));
  const redeliverFrom = await findRedeliverFrom(home, takenAt);
  const postgres = await describeServer(home);
  const writer = new ArchiveWriter(draft);
  try {
    await addSecrets(options.home, writer);
    // Before PostgreSQL: a restore can redeliver what a file lacks, and remove nothing from it.
    for (const name of fileContexts) {
      const summary = await addDatabaseFile(options.home, databaseFile(name), draft, writer);
      if (summary) databases[name] = summary;
    }
    const cluster = { data: home.data, url: home.urlOf('postgres'), writer, prefix: CLUSTER };
    const folders = await backUpCluster({ ...cluster, onProgress, abort });
    abort.throwIfAborted();
    await writer.finish({
      format: FORMAT,
      release: ownRelease(),
      takenAt: takenAt.toISOString(),
      postgres,
      databases,
      redeliverFrom,
      folders,
    });
  } finally {
    await writer.destroy();
  }
}

async function addSecrets(home: string, writer: ArchiveWriter): Promise<void> {
  for (const name of secretFiles) {
    const path = join(home, name);
    // A key of the environment leaves none in the home.
    if (!existsSync(path)) continue;
    const handle = await open(path);
    await writer.addFile(name, handle).finally(() => handle.close());
  }
}

/** Adds one consistent copy of a SQLite file that is in use. Undefined: its context has not started yet. */
async function addDatabaseFile(
  home: string,
  name: string,
  draft: string,
  writer: ArchiveWriter,
): Promise<DatabaseSummary | undefined> {
  const path = join(home, name);
  if (!existsSync(path)) return undefined;
  const copy = `${draft}-${name}`;
  const client = createClient({ url: pathToFileURL(path).href, timeout: LOCK_TIMEOUT_MS });
  try {
    await client.execute({ sql: 'VACUUM INTO ?', args: [copy] });
    const handle = await open(copy);
    await writer.addFile(name, handle).finally(() => handle.close());
    return await summarizeSqlite(pathToFileURL(copy).href);
  } finally {
    client.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${copy}${suffix}`, { force: true });
  }
}

/** The id of the first event that a database file may lack although its context has acknowledged it. */
async function findRedeliverFrom(home: OpenHome, takenAt: Date): Promise<string> {
  const ids = [firstIdAt(takenAt.getTime() - REDELIVER_MARGIN_MS)];
  for (const name of postgresContexts) {
    const [row] = await query<{ id: string | null }>(
      home.urlOf(name),
      // An event may have waited for days, and be acknowledged during the backup.
      `SELECT (SELECT id FROM outbox WHERE awaiting && $1::text[] ORDER BY id LIMIT 1) AS id`,
      [fileContexts],
    );
    if (row?.id) ids.push(row.id);
  }
  return ids.sort()[0] as string;
}

async function describeServer(home: OpenHome): Promise<Manifest['postgres']> {
  const [row] = await query<{ major: string }>(
    home.urlOf('postgres'),
    "SELECT (current_setting('server_version_num')::int / 10000)::text AS major",
  );
  return { major: row?.major ?? '', architecture: process.arch };
}

async function query<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

function toSentence(error: unknown, file: string): unknown {
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (name === 'AbortError') return new Error('The backup was interrupted: nothing was written.');
  if (code === 'ENOSPC') {
    return new Error(`The disk of ${dirname(file)} is full: nothing was written.`);
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new Error(`${basename(file)} was not written: ${message}.`);
  }
  const isCut = /^Connection terminated|not queryable/.test(message);
  if (isCut || code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === '57P01') {
    return new Error(`PostgreSQL ended during the backup: nothing was written (${message}).`);
  }
  return error;
}
