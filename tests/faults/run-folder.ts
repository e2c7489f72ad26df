import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile } from '#platform/config/project.ts';

/** The folder for the data and logs of the servers and services that a command starts. */
export interface RunFolder {
  path: string;
  /** Appends a line to the command's own log. */
  log(line: string): void;
  /** Registers a step that stops what was started; the steps are executed in reverse order. */
  onStop(step: () => Promise<void>): void;
}

/**
 * Creates a folder for `work`; afterwards stops what was started and deletes the folder. It is kept
 * with `keep`, and after a failure that is not an interruption.
 */
export async function withRunFolder<Result extends { failed: boolean }>(
  name: string,
  keep: boolean,
  signal: AbortSignal,
  work: (folder: RunFolder) => Promise<Result>,
): Promise<Result> {
  const parent = projectFile('.spacerent');
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const path = mkdtempSync(join(parent, `${name}-`));
  const log = (line: string) =>
    appendFileSync(join(path, `${name}.log`), `${new Date().toISOString()} ${line}\n`);
  const steps: (() => Promise<void>)[] = [];
  let isKept = true;
  try {
    const result = await work({ path, log, onStop: (step) => steps.push(step) });
    isKept = keep || result.failed;
    return result;
  } catch (error) {
    isKept = keep || !signal.aborted;
    throw error;
  } finally {
    for (const step of steps.reverse()) {
      await step().catch((error: Error) => console.error(`While stopping: ${error.message}`));
    }
    if (isKept) console.log(`Data and logs: ${path}`);
    else rmSync(path, { recursive: true, force: true });
  }
}
