import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Binaries, canRun, copyBinaries } from './postgres-binaries.ts';

/** How a PostgreSQL program is run: as the current user, in a user namespace, or as another user. */
export type PostgresUser = {
  binaries: Binaries;
  /** Words that come before the program. */
  prefix: string[];
  /** Only for root: the user who must own the files, and the folder for the data. */
  other?: { uid: number; gid: number; dataParent: string };
};

const sharedFolder = '/var/lib/spacerent';

/**
 * PostgreSQL refuses to run as root. In a user namespace without a mapping root has no name and
 * no privileges but still owns its files, so nothing moves and no user is needed. Where namespaces
 * are forbidden, a system user runs a copy in a place that it can reach.
 */
export function choosePostgresUser(binaries: Binaries, home: string, data: string): PostgresUser {
  const own = { binaries, prefix: [] };
  if (process.getuid?.() !== 0) return own;

  const owner = statSync(data, { throwIfNoEntry: false });
  const isRoots = owner === undefined || owner.uid === 0;
  if (isRoots && canUnshare(binaries, home)) {
    return { binaries, prefix: ['unshare', '--user', '--'] };
  }
  if (owner !== undefined && isRoots) {
    throw new Error(
      `The data in ${data} belong to root, and PostgreSQL can run for root only through ` +
        '"unshare --user", which does not work here. Start spacerent in the way it was started before.',
    );
  }
  const user = owner === undefined ? systemUser() : { uid: owner.uid, gid: owner.gid };
  mkdirSync(sharedFolder, { recursive: true, mode: 0o755 });
  const reachable = canRun(binaries, user.uid, user.gid)
    ? binaries
    : copyBinaries(binaries, sharedFolder);
  return { binaries: reachable, prefix: [], other: { ...user, dataParent: sharedFolder } };
}

function canUnshare(binaries: Binaries, home: string): boolean {
  const script = '"$0" --version && test -w "$1"';
  const postgres = join(binaries.folder, 'bin/postgres');
  const { status } = spawnSync('unshare', ['--user', '--', 'sh', '-c', script, postgres, home], {
    env: { ...process.env, ...binaries.env },
  });
  return status === 0;
}

function systemUser(): { uid: number; gid: number } {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const wanted of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${wanted}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('PostgreSQL does not run as root, and this machine has no other user for it.');
}
