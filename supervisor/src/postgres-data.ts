import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { withLog } from './logs.ts';
import type { PostgresUser } from './postgres-user.ts';
import { identify, signal, waitUntilGone } from './process-identity.ts';

export const superuser = 'spacerent';
const MAJOR_VERSION = '18';

/** Creates the data folder if there is none. It is renamed last, so an incomplete one is never used. */
export async function initialise(
  { binaries, prefix, other }: PostgresUser,
  data: string,
  password: string,
  log: string,
  abort: AbortSignal,
): Promise<void> {
  if (existsSync(data)) return requireVersion(data);
  const home = join(data, '..');
  for (const name of readdirSync(home).filter((each) => each.startsWith('postgres.new-'))) {
    rmSync(join(home, name), { recursive: true, force: true });
  }

  const draft = join(home, `postgres.new-${randomBytes(6).toString('hex')}`);
  const work = other ? join(other.dataParent, randomBytes(6).toString('hex')) : draft;
  mkdirSync(work, { mode: 0o700 });
  const passwordFile = join(work, 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (other) for (const each of [work, passwordFile]) chownSync(each, other.uid, other.gid);

  const [program = '', ...rest] = [...prefix, join(binaries.folder, 'bin/initdb')];
  const args = [`--pgdata=${join(work, 'data')}`, `--username=${superuser}`];
  args.push(`--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C');
  // Sorts as the locale C does, and knows upper and lower case of every script.
  args.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions');
  await new Promise<void>((resolve, reject) => {
    const child = withLog(log, (descriptor) =>
      spawn(program, [...rest, ...args], {
        ...other,
        cwd: '/',
        detached: true,
        env: { ...process.env, ...binaries.env },
        stdio: ['ignore', descriptor, descriptor],
        signal: abort,
      }),
    );
    child.once('error', reject);
    child.once('exit', (code, by) => {
      if (code === 0) return resolve();
      reject(new Error(`PostgreSQL's initdb failed (${by ?? `exit code ${code}`}); see ${log}.`));
    });
  });
  rmSync(passwordFile);
  if (other) {
    symlinkSync(join(work, 'data'), data);
  } else {
    renameSync(join(work, 'data'), data);
    rmSync(work, { recursive: true });
  }
}

function requireVersion(data: string): void {
  const version = readText(join(data, 'PG_VERSION'))?.trim();
  if (version === MAJOR_VERSION) return;
  throw new Error(
    version === undefined
      ? `${data} is not a data folder of PostgreSQL. Move it away or set SPACERENT_HOME.`
      : `${data} was written by PostgreSQL ${version}, but this is PostgreSQL ${MAJOR_VERSION}. Export the data with the old version.`,
  );
}

/**
 * Stops the server that a killed supervisor left on these data, and waits for it. The pid file of a live
 * server is never deleted. If another process has the pid of a dead server, the file is deleted, because
 * PostgreSQL would refuse to start.
 */
export async function endLeftoverServer(data: string, say: (line: string) => void): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const pid = Number(readText(pidFile)?.split('\n')[0]);
  const leftover = Number.isInteger(pid) && pid > 0 ? identify(pid) : undefined;
  if (leftover === undefined) return;
  if (!isServerOf(data, pid)) {
    rmSync(pidFile, { force: true });
    return;
  }
  say(`Stopping the PostgreSQL server of an earlier start (process ${pid}).`);
  signal(leftover, 'SIGINT');
  signal(leftover, 'SIGCONT');
  if (await waitUntilGone([leftover], 30_000)) return;
  // An immediate stop: the next start recovers from the log, as after a crash.
  signal(leftover, 'SIGQUIT');
  if (await waitUntilGone([leftover], 10_000)) return;
  throw new Error(
    `The PostgreSQL server of an earlier start (process ${pid}) does not stop. Stop it first.`,
  );
}

/** Recognises a server by its working directory, which is its data folder. */
function isServerOf(data: string, pid: number): boolean {
  const folder = realpathSync(data);
  if (process.platform === 'linux') {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder;
    } catch {
      // Another user's process: only its name is readable, and a server must not be missed.
      return readText(`/proc/${pid}/comm`)?.trim() === 'postgres';
    }
  }
  const { stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.includes('postgres') && (stdout.includes(data) || stdout.includes(folder));
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
