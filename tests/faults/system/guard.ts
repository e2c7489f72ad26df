import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Sends `signal` to the process when this one is gone, however it went: a shell notices by the end
 * of its input. The returned function calls it off.
 */
export function whenThisProcessEnds(signal: 'KILL' | 'CONT', pid: number): () => void {
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

/** The child does not outlive this process. */
export function guarded(child: ChildProcess): ChildProcess {
  if (child.pid !== undefined) {
    const callOff = whenThisProcessEnds('KILL', child.pid);
    // Its pid may be somebody else's soon.
    child.once('exit', callOff);
  }
  return child;
}
