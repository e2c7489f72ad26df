import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const rotateAboveBytes = 20 * 1024 * 1024;

export function logFile(folder: string, name: string): string {
  return join(folder, `${name}.log`);
}

/** One older file is kept. Called at start only: a running service keeps its file open. */
export function rotateLog(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > rotateAboveBytes) renameSync(file, `${file}.1`);
}

/** Hands `use` a descriptor to give to a child, and closes our own copy of it afterwards. */
export function withLog<T>(file: string, use: (descriptor: number) => T): T {
  const descriptor = openSync(file, 'a', 0o600);
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export function lastLines(file: string, count: number): string[] {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const tail = Buffer.alloc(Math.min(size, 16 * 1024));
      readSync(descriptor, tail, 0, tail.length, size - tail.length);
      return tail.toString('utf8').trimEnd().split('\n').slice(-count);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return [];
  }
}
