import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readMachine } from '../../../bench/measurement/machine.ts';
import { handleInterruption } from '../interruption.ts';
import { type RunFolder, withRunFolder } from '../run-folder.ts';
import { removeServiceSettings } from '../service-settings.ts';
import { requireReplicatedPrograms } from './replicated-system.ts';

/** What a measurement has found. */
interface Measured {
  /** For people. */
  report: string;
  /** What went wrong, for people: nothing in a good run. */
  failures: readonly string[];
  /** What is written to the file of the results, as JSON. */
  results: object;
}

/** A line of progress of a command. */
export type Log = (line: string) => void;

/**
 * Runs a command that measures replicas behind HAProxy, prints its report, writes its results, and ends the
 * process: with status 1 when something went wrong. `readOptions` and `measure` fail with a sentence.
 */
export async function runMeasurement<Options extends { keep: boolean; out: string }>(
  name: string,
  readOptions: (args: string[]) => Options,
  measure: (
    options: Options,
    folder: RunFolder,
    log: Log,
    signal: AbortSignal,
  ) => Promise<Measured>,
): Promise<never> {
  removeServiceSettings();
  // Options for this process are not meant for those that it starts.
  delete process.env.NODE_OPTIONS;
  const interruption = handleInterruption();
  const startedAt = Date.now();
  const print: Log = (line) => {
    const seconds = ((Date.now() - startedAt) / 1_000).toFixed(0);
    console.log(`${seconds.padStart(4)} s  ${line}`);
  };
  try {
    const options = readOptions(process.argv.slice(2));
    requireReplicatedPrograms();
    await withRunFolder(name, options.keep, interruption.signal, async (folder) => {
      const log: Log = (line) => {
        folder.log(line);
        print(line);
      };
      const { report, failures, results } = await interruption.orAbort(
        measure(options, folder, log, interruption.signal),
      );
      console.log(report);
      const written = { startedAt: new Date(startedAt), machine: readMachine(), options };
      mkdirSync(dirname(options.out), { recursive: true });
      writeFileSync(
        options.out,
        `${JSON.stringify({ ...written, ...results, failures }, null, 2)}\n`,
      );
      console.log(`\nThe results are in ${options.out}`);
      if (failures.length > 0) process.exitCode = 1;
      return { failed: failures.length > 0 };
    });
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
  process.exit();
}
