import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { identify, isRunning } from './process-identity.ts';

const holderSchema = z.object({
  pid: z.number(),
  birth: z.string(),
  startedAt: z.iso.datetime(),
  graphqlUrl: z.string(),
});
export type Holder = z.infer<typeof holderSchema>;

export class HomeInUse extends Error {
  readonly holder: Holder;
  constructor(home: string, holder: Holder) {
    const since = new Date(holder.startedAt).toLocaleString('sv-SE');
    super(
      `spacerent already runs on ${home} ` +
        `(process ${holder.pid}, ${holder.graphqlUrl}, since ${since}).`,
    );
    this.holder = holder;
  }
}

/**
 * Makes this process the only supervisor of `home`; throws {@link HomeInUse} if another one is.
 * Returns the function that releases the home.
 *
 * Node has no flock, and deleting the lock file of a dead owner could delete that of a new owner. So no
 * file is reused: the lock is the file with the highest number, a new owner creates the next number,
 * which only one process can, and only lower numbers are deleted.
 */
export function lockHome(home: string, graphqlUrl: string): () => void {
  const folder = join(home, 'lock');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const self = identify(process.pid);
  if (self === undefined) throw new Error('The operating system does not list this process.');
  const draft = join(folder, `draft-${process.pid}`);
  const holder: Holder = { ...self, startedAt: new Date().toISOString(), graphqlUrl };
  writeFileSync(draft, JSON.stringify(holder));
  try {
    const number = acquireNext(home, folder, draft);
    for (const older of numbersIn(folder).filter((each) => each < number)) {
      rmSync(join(folder, String(older)), { force: true });
    }
    return () => release(join(folder, String(number)), draft);
  } finally {
    rmSync(draft, { force: true });
  }
}

function acquireNext(home: string, folder: string, draft: string): number {
  for (;;) {
    const newest = Math.max(0, ...numbersIn(folder));
    const holder = readHolder(join(folder, String(newest)));
    if (holder !== undefined && isRunning(holder)) throw new HomeInUse(home, holder);
    const mine = newest + 1;
    try {
      // link() makes the file appear with its content; a reader never sees an empty one.
      linkSync(draft, join(folder, String(mine)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    // Others may have created and deleted this number meanwhile; then a higher one exists.
    if (Math.max(...numbersIn(folder)) === mine) return mine;
    rmSync(join(folder, String(mine)), { force: true });
  }
}

/** Keeps the file without an owner, so that its number is not used again. */
function release(file: string, draft: string): void {
  writeFileSync(draft, '{}');
  renameSync(draft, file);
}

function numbersIn(folder: string): number[] {
  return readdirSync(folder)
    .map(Number)
    .filter((number) => Number.isInteger(number));
}

function readHolder(file: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
