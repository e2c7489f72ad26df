import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Sends `signal` to the process when this process ends, even by SIGKILL: a shell detects the end of its
 * input. The returned function cancels it.
 */
export function signalOnExit(signal: 'KILL' | 'CONT', pid: number): () => void {
  const shell = spawn('sh', ['-c', `read -r _; kill -${signal} "$1"`, 'guard', String(pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.once('error', () => {});
  shell.stdin.once('error', () => {});
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return () => shell.kill('SIGKILL');
}

/** Kills the child when this process ends. */
export function killOnExit(child: ChildProcess): ChildProcess {
  if (child.pid !== undefined) {
    const cancel = signalOnExit('KILL', child.pid);
    // The system may give the pid to another process.
    child.once('exit', cancel);
  }
  return child;
}
