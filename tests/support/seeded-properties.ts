import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { expect, jest } from '@jest/globals';
import type FastCheck from 'fast-check';
import type { RunDetails } from 'fast-check';

const { testPath = '' } = expect.getState();

// Loading the library takes time, which other files save.
if (readFileSync(testPath, 'utf8').includes("from 'fast-check'")) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ seed: jest.getSeed(), reporter: (run) => report(fc, run) });
}

/** Fails as the library does; the message ends with the command that repeats the failing case. */
function report(fc: typeof FastCheck, run: RunDetails<unknown>): void {
  const message = fc.defaultReportMessage(run);
  if (message === undefined) return;
  throw new Error(`${message}\n\nRepeat it: ${commandFor(run.seed)}`, { cause: run.errorInstance });
}

function commandFor(seed: number): string {
  const { currentTestName = '' } = expect.getState();
  const name = `^${currentTestName.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`;
  const file = relative(process.cwd(), testPath);
  return `npm test -- ${file} --seed ${seed} --testNamePattern ${quoted(name)}`;
}

/** Quotes the text as one word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
