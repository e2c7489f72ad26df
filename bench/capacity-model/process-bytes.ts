import { readFileSync } from 'node:fs';
import type { Instance } from '../../supervisor/src/instance-file.ts';

/**
 * Starts to count the bytes that each service reads and writes; the returned function returns them. Linux
 * counts what goes through read and write: sockets, so every request and every statement, and files, which here
 * are the log and mypage's SQLite database.
 */
export function countProcessBytes({ services }: Instance): () => Record<string, number> {
  const read = () =>
    Object.fromEntries(Object.entries(services).map(([name, { pid }]) => [name, readBytes(pid)]));
  const before = read();
  return () => {
    const after = read();
    return Object.fromEntries(
      Object.entries(after).map(([name, bytes]) => [name, bytes - (before[name] ?? 0)]),
    );
  };
}

/** The fields `rchar` and `wchar` of proc_pid_io(5). */
function readBytes(pid: number | null | undefined): number {
  const text = readFileSync(`/proc/${pid}/io`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1]);
  return field('rchar') + field('wchar');
}
