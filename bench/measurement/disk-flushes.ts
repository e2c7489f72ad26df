import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Latencies, toLatencies } from './latencies.ts';

const PAGE = Buffer.alloc(8_192);
const PERIOD_MS = 50;

/**
 * Writes a page to a file in the folder again and again, and waits until it is on disk, as a commit
 * does; the returned function stops and returns the latencies.
 */
export function timeDiskFlushes(folder: string): () => Promise<Latencies> {
  let stopped = false;
  const flushing = flushUntil(join(folder, 'flushes.bin'), () => stopped);
  flushing.catch(() => {});
  return async () => {
    stopped = true;
    return toLatencies(await flushing);
  };
}

async function flushUntil(path: string, isStopped: () => boolean): Promise<number[]> {
  const durations: number[] = [];
  const file = await open(path, 'w');
  try {
    while (!isStopped()) {
      const from = performance.now();
      await file.write(PAGE, 0, PAGE.length, 0);
      await file.datasync();
      durations.push(performance.now() - from);
      await wait(PERIOD_MS);
    }
  } finally {
    await file.close();
    await rm(path);
  }
  return durations;
}
