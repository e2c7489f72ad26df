import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFolder } from '../run-folder.ts';

const CHUNK = Buffer.alloc(1 << 20, 1);

/** A file system that can be filled. */
export interface SmallDisk {
  folder: string;
  /** Takes all space that is left. */
  fill(): void;
  /** Gives it back. */
  free(): void;
}

/** Mounts a file system of so many bytes, in memory; returns a sentence where that is not permitted. */
export function mountSmallDisk({ path, onStop }: RunFolder, bytes: number): SmallDisk | string {
  const folder = join(path, 'disk');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const options = ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', folder];
  const { status, stderr, error } = spawnSync('mount', options, { encoding: 'utf8' });
  if (status !== 0) {
    const reason = (stderr ?? error?.message)?.trim();
    return `no small file system can be mounted on this machine (${reason}).`;
  }
  onStop(async () => {
    // Lazily: what still has a file open keeps it until it ends.
    spawnSync('umount', ['--lazy', folder]);
  });
  const filler = join(folder, 'filler');
  return {
    folder,
    fill() {
      const descriptor = openSync(filler, 'a');
      try {
        for (const size of [CHUNK.length, 4_096, 1]) writeUntilFull(descriptor, size);
      } finally {
        closeSync(descriptor);
      }
    },
    free: () => rmSync(filler, { force: true }),
  };
}

function writeUntilFull(descriptor: number, size: number): void {
  for (;;) {
    try {
      writeSync(descriptor, CHUNK, 0, size);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw error;
    }
  }
}
