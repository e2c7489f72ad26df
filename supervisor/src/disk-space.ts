import { statfsSync } from 'node:fs';

const CHECK_MS = 2_000;
/** PostgreSQL needs several segments of 16 MiB for its log. */
const LOW_BYTES = 64 << 20;
/** Between the two, nothing new is reported. */
const ENOUGH_BYTES = 128 << 20;

/**
 * Says when the disk of a folder is nearly full, and when it has space again. `readFreeBytes` returns the space that is
 * left. Returns the function that ends it.
 */
export function watchDiskSpace(
  folder: string,
  say: (line: string) => void,
  readFreeBytes = freeBytes,
  checkMs = CHECK_MS,
): () => void {
  let isLow = false;
  const check = () => {
    const free = readFreeBytes(folder);
    if (free === undefined) return;
    if (!isLow && free < LOW_BYTES) {
      isLow = true;
      say(
        `The disk of ${folder} is nearly full (${toMebibytes(free)} MiB are free). Without space nothing can be booked: ` +
          'delete files there, or enlarge it. Everything goes on by itself then.',
      );
    } else if (isLow && free >= ENOUGH_BYTES) {
      isLow = false;
      say(`The disk of ${folder} has space again (${toMebibytes(free)} MiB are free).`);
    }
  };
  check();
  const timer = setInterval(check, checkMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Undefined where the system does not tell. */
function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

function toMebibytes(bytes: number): number {
  return Math.floor(bytes / (1 << 20));
}
