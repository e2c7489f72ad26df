import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ArchiveWriter, extractArchive, verifyArchive } from '../src/backup/archive.ts';
import { FORMAT, isNewer, type Manifest, requireKnownMigrations } from '../src/backup/manifest.ts';

const folder = mkdtempSync(join(tmpdir(), 'spacerent-archive-'));
const file = join(folder, 'whole.tar.gz');
const described: Omit<Manifest, 'files'> = {
  format: FORMAT,
  release: '0.2.0',
  takenAt: '2026-11-29T15:00:00.000Z',
  postgres: { major: '18', architecture: 'x64' },
  databases: { book: { migrations: ['20261122000000_init'], rows: { booking: 1 } } },
  redeliverFrom: '01a22800-0000-7000-8000-000000000000',
  folders: [],
};

async function write(path: string, manifest: Omit<Manifest, 'files'>): Promise<void> {
  const writer = new ArchiveWriter(path);
  await writer.addContent('auth-secret', 'secret');
  await writer.addContent('postgres/base/1/2', Buffer.alloc(3_000_000, 7));
  await writer.addContent('postgres/base/1/empty', '');
  await writer.finish(manifest);
}

/** A copy of the backup with other bytes. */
function copyWith(name: string, change: (bytes: Buffer) => Buffer): string {
  const copy = join(folder, name);
  writeFileSync(copy, change(readFileSync(file)));
  return copy;
}

beforeAll(() => write(file, described));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a backup file', () => {
  test('a backup is read as it was written', async () => {
    const manifest = await verifyArchive(file);
    expect(manifest.files.map(({ path, bytes }) => [path, bytes])).toEqual([
      ['auth-secret', 6],
      ['postgres/base/1/2', 3_000_000],
      ['postgres/base/1/empty', 0],
    ]);
    const target = join(folder, 'extracted');
    await extractArchive(file, (path) => (path === 'auth-secret' ? target : undefined));
    expect(readFileSync(target, 'utf8')).toBe('secret');
  });

  test('a backup that was cut off anywhere is refused', async () => {
    const { length } = readFileSync(file);
    for (const bytes of [0, 5, 20, Math.floor(length / 2), length - 1]) {
      const copy = copyWith('cut.tar.gz', (whole) => whole.subarray(0, bytes));
      await expect(verifyArchive(copy)).rejects.toThrow(/cut\.tar\.gz is (damaged|not a backup)/);
    }
  });

  test('a backup with one changed byte is refused, even where the compression is sound', async () => {
    const copy = copyWith('changed.tar.gz', (whole) => {
      const tar = gunzipSync(whole);
      tar[tar.indexOf(Buffer.alloc(8, 7)) + 100_000] = 8;
      return gzipSync(tar);
    });
    await expect(verifyArchive(copy)).rejects.toThrow('base/1/2 does not have its checksum');
  });

  test('another file is no backup, and a missing one is named', async () => {
    const other = copyWith('other.txt', () => Buffer.from('Not a backup.'));
    await expect(verifyArchive(other)).rejects.toThrow('other.txt is not a backup of spacerent.');
    await expect(verifyArchive(join(folder, 'none'))).rejects.toThrow(/There is no backup .*none/);
  });

  test('a backup of a newer release is refused by its version and by its migrations', async () => {
    const newer = join(folder, 'newer.tar.gz');
    await write(newer, { ...described, release: '0.10.0' });
    await expect(verifyArchive(newer)).rejects.toThrow(/made by release 0\.10\.0, which is newer/);
    const databases = { book: { migrations: ['29990101000000_later'], rows: {} } };
    expect(() => requireKnownMigrations({ ...described, databases, files: [] }, 'it')).toThrow(
      /its database book has the migration 29990101000000_later/,
    );
    expect(() => requireKnownMigrations({ ...described, files: [] }, 'it')).not.toThrow();
  });

  test('versions are compared by their numbers', () => {
    expect(isNewer('0.10.0', '0.9.1')).toBe(true);
    expect(isNewer('0.2.0', '0.2.0')).toBe(false);
  });
});
