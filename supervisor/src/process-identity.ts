import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A pid may be reused, after a reboot within seconds; pid and birth identify one process. */
export type ProcessIdentity = { pid: number; birth: string };

/** Undefined when no such process runs. A zombie does not run. */
export function identify(pid: number): ProcessIdentity | undefined {
  const birth = process.platform === 'linux' ? birthFromProc(pid) : birthFromPs(pid);
  return birth === undefined ? undefined : { pid, birth };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.birth === identity.birth;
}

/** Resolves with whether all of them ended in time. */
export async function waitUntilGone(identities: ProcessIdentity[], ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (identities.some(isRunning)) {
    if (Date.now() > deadline) return false;
    await delay(50);
  }
  return true;
}

/** Sends the signal if the process still runs. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function birthFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command, in parentheses, may hold spaces and parentheses itself: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${startTicks}`;
  } catch {
    return undefined;
  }
}

function birthFromPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const [, state, start] = /^(\S+)\s+(.+?)\s*$/m.exec(stdout ?? '') ?? [];
  return start === undefined || state?.startsWith('Z') ? undefined : start;
}
