import type { Dirent } from 'node:fs';
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { ArchiveWriter } from './archive.ts';

/** Folders whose content belongs to the running server, as pg_basebackup leaves it out. */
const EMPTIED = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
  'pg_wal',
]);
const LEFT_OUT =
  /^(postmaster\.(pid|opts)|backup_label.*|tablespace_map.*|pgsql_tmp.*|pg_internal\.init.*)$/;
const CONTROL_FILE = 'global/pg_control';
const LOG_SEGMENT = /^[0-9A-F]{24}$/;
const CONNECT_TIMEOUT_MS = 5_000;

export interface ClusterBackup {
  /** The data folder of the running server. */
  data: string;
  /** An address on the server, of a superuser. */
  url: string;
  writer: Pick<ArchiveWriter, 'addFile' | 'addContent'>;
  /** The folder in the archive. */
  prefix: string;
  onProgress: (bytes: number) => void;
  abort: AbortSignal;
}

/**
 * Adds the data of a running PostgreSQL server to a backup: one moment of all its databases, shortly before it
 * resolves. Returns the folders of the data.
 */
export async function backUpCluster(options: ClusterBackup): Promise<string[]> {
  const { url, writer, prefix } = options;
  // The backup ends with the session: a killed process leaves none open.
  const session = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  let lost: Error | undefined;
  session.on('error', (error) => {
    lost = error;
  });
  await session.connect();
  try {
    // Keeps the log since now, however many checkpoints the copy takes; it ends with the session, too.
    await session.query(
      "SELECT pg_create_physical_replication_slot('backup_' || pg_backend_pid(), true, true)",
    );
    await session.query("SELECT pg_backup_start('spacerent', true)");
    const folders = await copyData(options, () => lost);
    const { rows } = await session.query<{ labelfile: string; last: string }>(
      'SELECT labelfile, pg_walfile_name(lsn - 1) AS last FROM pg_backup_stop(false)',
    );
    const [row] = rows;
    if (!row) throw new Error('PostgreSQL did not end the backup.');
    await copyLog(options, row);
    await writer.addContent(`${prefix}/backup_label`, row.labelfile);
    return folders;
  } finally {
    await session.end().catch(() => {});
  }
}

/** Adds every file but the log. The control file comes last, as in PostgreSQL's own tools. */
async function copyData(options: ClusterBackup, lost: () => Error | undefined): Promise<string[]> {
  const { data, writer, prefix, onProgress, abort } = options;
  const folders: string[] = [];
  let bytes = 0;
  const copyFolder = async (folder: string): Promise<void> => {
    if (folder) folders.push(folder);
    if (EMPTIED.has(folder)) return;
    for (const entry of await list(join(data, folder))) {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (LEFT_OUT.test(entry.name) || path === CONTROL_FILE) continue;
      if (entry.isDirectory()) await copyFolder(path);
      if (!entry.isFile()) continue;
      abort.throwIfAborted();
      const connectionError = lost();
      if (connectionError) throw connectionError;
      bytes += await copyFile(join(data, path), (handle) =>
        writer.addFile(`${prefix}/${path}`, handle),
      );
      onProgress(bytes);
    }
  };
  await copyFolder('');
  await writer.addContent(
    `${prefix}/${CONTROL_FILE}`,
    await readControlFile(join(data, CONTROL_FILE)),
  );
  return folders;
}

/** Adds the segments of the log from the start of the backup to its end: without them it is useless. */
async function copyLog(
  { data, writer, prefix }: ClusterBackup,
  { labelfile, last }: { labelfile: string; last: string },
): Promise<void> {
  const first = /\(file ([0-9A-F]{24})\)/.exec(labelfile)?.[1] ?? '';
  const segments = (await readdir(join(data, 'pg_wal')))
    .filter((name) => LOG_SEGMENT.test(name) && name >= first && name <= last)
    .sort();
  if (segments[0] !== first || segments.at(-1) !== last) {
    throw new Error(
      `PostgreSQL's log lacks a segment from ${first} to ${last}: repeat the backup.`,
    );
  }
  for (const name of segments) {
    await copyFile(join(data, 'pg_wal', name), (handle) =>
      writer.addFile(`${prefix}/pg_wal/${name}`, handle),
    );
  }
}

/** Read until two reads agree: the server may be writing it. */
async function readControlFile(path: string): Promise<Buffer> {
  for (let previous = await readFile(path); ; ) {
    const next = await readFile(path);
    if (next.equals(previous)) return next;
    previous = next;
  }
}

/** The entries of a folder, sorted; none when it was dropped meanwhile, which the log repeats. */
async function list(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(ignoreMissing);
  return (entries ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Returns the file's size; 0 when it was dropped meanwhile. */
async function copyFile(path: string, add: (handle: FileHandle) => Promise<void>): Promise<number> {
  const handle = await open(path).catch(ignoreMissing);
  if (!handle) return 0;
  try {
    await add(handle);
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
