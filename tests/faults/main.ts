import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { handleInterruption } from './interruption.ts';
import { type Options, readOptions } from './options.ts';
import { type FinishedRun, formatFailure, formatRun, formatTotals, sumUp } from './report.ts';
import { run } from './run.ts';
import { type RunFolder, withRunFolder } from './run-folder.ts';
import { removeServiceSettings } from './service-settings.ts';
import { type ChaosSystem, type Profile, startSystem } from './system/chaos-system.ts';
import { requirePrograms } from './system/programs.ts';

/** More failed runs would most likely repeat the same failures. */
const MAX_FAILED_RUNS = 10;
/** Every n-th run compares the views of all bookings, not only its own. */
const ALL_VIEWS_INTERVAL = 25;

removeServiceSettings();
const interruption = handleInterruption();
const finished: FinishedRun[] = [];
try {
  const options = readOptions(process.argv.slice(2));
  if (options.profiles.includes('servers')) requirePrograms('redis-server', 'mariadbd');
  try {
    for (const profile of options.profiles) await runAll(profile, options);
  } finally {
    // An interrupted series reports the runs that it finished.
    if (finished.length > 0) reportTotals(options);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
process.exit();

function reportTotals(options: Options): void {
  const totals = sumUp(finished);
  console.log(formatTotals(totals));
  if (totals.failed > 0) process.exitCode = 1;
  if (!options.json) return;
  mkdirSync(dirname(options.json), { recursive: true });
  writeFileSync(options.json, `${JSON.stringify({ options, totals, runs: finished }, null, 2)}\n`);
}

/** Runs share a system until one fails: the next run starts a new system. */
async function runAll(profile: Profile, options: Options): Promise<void> {
  let next = 0;
  while (next < options.runs) {
    const failures = finished.filter(({ violations }) => violations.length > 0).length;
    if (failures >= MAX_FAILED_RUNS) throw new Error(`Stopped after ${failures} failed runs.`);
    const result = await withRunFolder('chaos', options.keep, interruption.signal, (folder) =>
      runOnOneSystem(profile, options, next, folder),
    );
    next = result.next;
  }
}

/** Returns the index of the next run. */
async function runOnOneSystem(
  profile: Profile,
  options: Options,
  first: number,
  folder: RunFolder,
): Promise<{ next: number; failed: boolean }> {
  const system = await interruption.orAbort(startSystem(profile, folder));
  for (let index = first; index < options.runs; index += 1) {
    const finishedRun = await runOnce(system, options, index, folder);
    if (finishedRun.violations.length > 0) return { next: index + 1, failed: true };
  }
  return { next: options.runs, failed: false };
}

async function runOnce(
  system: ChaosSystem,
  options: Options,
  index: number,
  folder: RunFolder,
): Promise<FinishedRun> {
  const seed = options.seed + index;
  folder.log(`run ${index + 1}, seed ${seed}`);
  const isLast = index === options.runs - 1;
  const compareAllViews = isLast || (index + 1) % ALL_VIEWS_INTERVAL === 0;
  const { only, seconds } = options;
  const result = await interruption.orAbort(
    run(system, { seed, only, seconds, compareAllViews }, folder.log, interruption.signal),
  );
  const finishedRun: FinishedRun = { ...result, profile: system.profile, number: index + 1 };
  const hasFailed = result.violations.length > 0;
  if (hasFailed) finishedRun.keptIn = folder.path;
  finished.push(finishedRun);
  report(formatRun(finishedRun, options.runs), folder);
  if (hasFailed) report(formatFailure(finishedRun, options), folder);
  return finishedRun;
}

function report(text: string, folder: RunFolder): void {
  folder.log(text);
  console.log(text);
}
