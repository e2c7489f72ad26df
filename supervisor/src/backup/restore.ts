import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { redeliverEvents } from '#platform/messaging/redelivery.ts';
import { HomeInUse, lockHome } from '../home-lock.ts';
import { endLeftovers } from '../leftovers.ts';
import { locateBinaries } from '../postgres-binaries.ts';
import { choosePostgresUser } from '../postgres-user.ts';
import { extractArchive, verifyArchive } from './archive.ts';
import {
  CLUSTER,
  databaseFile,
  dataNames,
  exchangeFolder,
  fileContexts,
  postgresContexts,
} from './home-data.ts';
import { type Manifest, requireKnownMigrations } from './manifest.ts';
import { startCluster } from './open-home.ts';
import { requireRows, summarizePostgres, summarizeSqlite } from './summaries.ts';

const DRAFT = 'restore.new-';
const POSTGRES_MAJOR = '18';

export interface RestoreOptions {
  file: string;
  home: string;
  /** Moves the data of the home aside; without it a home with data is refused. */
  replace: boolean;
  say: (line: string) => void;
  abort: AbortSignal;
}

export interface Restored {
  takenAt: string;
  release: string;
  /** The rows of every database, by table. */
  rows: Record<string, Record<string, number>>;
  /** The events that are compared with an inbox once more. */
  redelivered: number;
  /** Where the home's earlier data are. */
  movedTo: string | undefined;
}

/**
 * Restores a backup into a home on which nothing runs. The data are complete, started once and compared with
 * the manifest before the home gets them. Rejects with a sentence.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { home, say } = options;
  const file = resolve(options.file);
  say(`Reading ${file} …`);
  const manifest = await verifyArchive(file);
  requireFitting(manifest, file);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const unlock = lock(home);
  try {
    if (holdsData(home) && !options.replace) {
      throw new Error(
        `${home} holds data already: name an empty folder in SPACERENT_HOME, or move them aside with --replace.`,
      );
    }
    await endLeftovers(home, say);
    removeDrafts(home);
    return await restoreInto(home, file, manifest, options);
  } catch (error) {
    throw toSentence(error, home);
  } finally {
    unlock();
  }
}

function lock(home: string): () => void {
  try {
    return lockHome(home, 'a restore');
  } catch (error) {
    if (error instanceof HomeInUse) throw new Error(`${error.message} Stop it first.`);
    throw error;
  }
}

function requireFitting(manifest: Manifest, file: string): void {
  requireKnownMigrations(manifest, file);
  const { major, architecture } = manifest.postgres;
  if (major === POSTGRES_MAJOR && architecture === process.arch) return;
  throw new Error(
    `${file} is of PostgreSQL ${major} on ${architecture}; this is PostgreSQL ${POSTGRES_MAJOR} on ${process.arch}, which cannot read its files.`,
  );
}

function holdsData(home: string): boolean {
  return existsSync(exchangeFolder(home)) || dataNames.some((name) => existsSync(join(home, name)));
}

/** Removes what interrupted restores have left. */
function removeDrafts(home: string): void {
  for (const name of readdirSync(home).filter((each) => each.startsWith(DRAFT))) {
    rmSync(join(home, name), { recursive: true, force: true });
  }
}

async function restoreInto(
  home: string,
  file: string,
  manifest: Manifest,
  { say, abort }: RestoreOptions,
): Promise<Restored> {
  const draft = join(home, `${DRAFT}${randomBytes(4).toString('hex')}`);
  mkdirSync(draft, { mode: 0o700 });
  let movedTo: string | undefined;
  try {
    say(`Writing ${manifest.files.length} files …`);
    await writeFiles(file, manifest, draft);
    abort.throwIfAborted();
    say('Starting PostgreSQL on them, and comparing them with the manifest …');
    const checked = await check(draft, manifest, { say, abort });
    abort.throwIfAborted();
    movedTo = exchange(home, draft);
    const { takenAt, release } = manifest;
    return { takenAt, release, ...checked, movedTo };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Writes the files of the backup, PostgreSQL's as the user that will run it. */
async function writeFiles(file: string, manifest: Manifest, draft: string): Promise<void> {
  const data = join(draft, CLUSTER);
  const { other } = choosePostgresUser(locateBinaries(draft), draft, data);
  const work = other && join(other.dataParent, randomBytes(6).toString('hex'));
  if (work) {
    mkdirSync(join(work, 'data'), { recursive: true, mode: 0o700 });
    symlinkSync(join(work, 'data'), data);
  } else {
    mkdirSync(data, { mode: 0o700 });
  }
  for (const folder of manifest.folders) mkdirSync(join(data, folder), { mode: 0o700 });
  const known = new Set(manifest.files.map(({ path }) => path));
  await extractArchive(file, (path) => (known.has(path) ? toTarget(draft, path) : undefined));
  if (other && work) spawnSync('chown', ['-R', `${other.uid}:${other.gid}`, work]);
}

/** The path of an entry in the folder; throws for one that would lead out of it. */
function toTarget(folder: string, path: string): string {
  const target = resolve(folder, path);
  if (target.startsWith(`${folder}/`)) return target;
  throw new Error(`The backup has an entry ${path}, which no backup of spacerent has.`);
}

/**
 * Starts PostgreSQL on the restored data, which replays its log, compares them with the manifest, and has the
 * events redelivered that a database file may lack.
 */
async function check(
  draft: string,
  manifest: Manifest,
  { say, abort }: Pick<RestoreOptions, 'say' | 'abort'>,
): Promise<Pick<Restored, 'rows' | 'redelivered'>> {
  const rows: Restored['rows'] = {};
  let redelivered = 0;
  const cluster = await startCluster(draft, say, abort);
  try {
    for (const [name, expected] of Object.entries(manifest.databases)) {
      const isFile = (fileContexts as string[]).includes(name);
      const found = isFile
        ? await summarizeSqlite(pathToFileURL(join(draft, databaseFile(name))).href)
        : await summarizePostgres(cluster.urlOf(name));
      requireRows(name, found, expected);
      rows[name] = found.rows;
    }
    for (const publisher of postgresContexts) {
      const pool = new pg.Pool({ connectionString: cluster.urlOf(publisher), max: 1 });
      try {
        for (const consumer of fileContexts) {
          const from = manifest.redeliverFrom;
          redelivered += await redeliverEvents(pool, { publisher, consumer, from });
        }
      } finally {
        await pool.end();
      }
    }
  } finally {
    await cluster.stop();
  }
  return { rows, redelivered };
}

/** Gives the home the data of the draft; returns the folder of its earlier data. */
function exchange(home: string, draft: string): string | undefined {
  const pending = exchangeFolder(home);
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const aside = join(home, `replaced-${stamp}Z`);
  const present = dataNames.filter((name) => existsSync(join(home, name)));
  // From here on, until all is exchanged, the home's data do not belong together.
  rmSync(pending, { recursive: true, force: true });
  renameSync(draft, pending);
  if (present.length > 0) mkdirSync(aside, { mode: 0o700 });
  for (const name of present) renameSync(join(home, name), join(aside, name));
  for (const name of dataNames.filter((each) => existsSync(join(pending, each)))) {
    renameSync(join(pending, name), join(home, name));
  }
  rmSync(pending, { recursive: true, force: true });
  return present.length > 0 ? aside : undefined;
}

function toSentence(error: unknown, home: string): unknown {
  const { code, name } = error as NodeJS.ErrnoException;
  if (name === 'AbortError') return new Error('The restore was interrupted: nothing was changed.');
  if (code === 'ENOSPC')
    return new Error(`The disk of ${dirname(home)} is full: nothing was changed.`);
  return error;
}
