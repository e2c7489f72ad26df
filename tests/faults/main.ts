import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectFile } from '#platform/config/project.ts';
import { type Options, readOptions } from './options.ts';
import { type FinishedRun, failureOf, lineOf, reportOf, totalsOf } from './report.ts';
import { run } from './run.ts';
import { type ChaosSystem, type Profile, startSystem } from './system/chaos-system.ts';
import { requirePrograms } from './system/programs.ts';

/** After so many failing runs the next ones would tell nothing new. */
const FAILURES_AT_MOST = 10;
/** Every so many runs the views of all bookings are made anew, not just the run's own. */
const ALL_VIEWS_EVERY = 25;

// What would turn a profile into another one, or its services into other ones.
for (const name of Object.keys(process.env)) {
  if (
    /^(HOST|PORT|AUTH_\w+|INTERNAL_TOKEN_KEYS|REDIS_URL|\w+_DATABASE_URL|(BOOK|PAYMENT|SPACE|MYPAGE)_URL)(_FILE)?$/.test(
      name,
    )
  ) {
    delete process.env[name];
  }
}

const interruption = new AbortController();
const interrupted = new Promise<never>((_, reject) => {
  interruption.signal.addEventListener('abort', () => reject(interruption.signal.reason));
});
interrupted.catch(() => {});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interruption.abort(new Error('Interrupted.')));
}

const finished: FinishedRun[] = [];
try {
  const options = readOptions(process.argv.slice(2));
  if (options.profiles.includes('servers')) requirePrograms('redis-server', 'mariadbd');
  try {
    for (const profile of options.profiles) await runAll(profile, options);
  } finally {
    // Also of an interrupted series: what was run was run.
    if (finished.length > 0) tellTotals(options);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
process.exit();

function tellTotals(options: Options): void {
  const totals = totalsOf(finished);
  console.log(reportOf(totals));
  if (totals.failed > 0) process.exitCode = 1;
  if (!options.json) return;
  mkdirSync(dirname(options.json), { recursive: true });
  writeFileSync(options.json, `${JSON.stringify({ options, totals, runs: finished }, null, 2)}\n`);
}

/** A system serves one run after the other, until one fails: the next begins on a new one. */
async function runAll(profile: Profile, options: Options): Promise<void> {
  let next = 0;
  while (next < options.runs) {
    const failures = finished.filter(({ violations }) => violations.length > 0).length;
    if (failures >= FAILURES_AT_MOST) throw new Error(`${failures} runs failed: enough.`);
    next = await runOnOneSystem(profile, options, next);
  }
}

async function runOnOneSystem(profile: Profile, options: Options, first: number): Promise<number> {
  const parent = projectFile('.spacerent');
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const home = mkdtempSync(join(parent, 'chaos-'));
  const say = (line: string) =>
    appendFileSync(join(home, 'chaos.log'), `${new Date().toISOString()} ${line}\n`);
  const steps: (() => Promise<void>)[] = [];
  let keep = true;
  try {
    const system = await untilInterrupted(
      startSystem(profile, home, say, (step) => steps.push(step)),
    );
    const last = await runUntilFailure(system, home, options, first, say);
    keep = options.keep || last.failed;
    return last.next;
  } catch (error) {
    // Somebody who interrupts it has seen enough.
    keep = options.keep || !interruption.signal.aborted;
    throw error;
  } finally {
    for (const step of steps.reverse()) {
      await step().catch((error: Error) => console.error(`While stopping: ${error.message}`));
    }
    if (keep) console.log(`Data and logs: ${home}`);
    else rmSync(home, { recursive: true, force: true });
  }
}

async function runUntilFailure(
  system: ChaosSystem,
  home: string,
  options: Options,
  first: number,
  say: (line: string) => void,
): Promise<{ next: number; failed: boolean }> {
  for (let index = first; index < options.runs; index += 1) {
    const seed = options.seed + index;
    say(`run ${index + 1}, seed ${seed}`);
    const isLast = index === options.runs - 1;
    const result = await untilInterrupted(
      run(
        system,
        {
          seed,
          only: options.only,
          seconds: options.seconds,
          allViews: isLast || (index + 1) % ALL_VIEWS_EVERY === 0,
        },
        say,
        interruption.signal,
      ),
    );
    const failed = result.violations.length > 0;
    const done: FinishedRun = { ...result, profile: system.profile, number: index + 1 };
    if (failed) done.kept = home;
    finished.push(done);
    const line = lineOf(done, options.runs);
    say(line);
    console.log(line);
    if (!failed) continue;
    const failure = failureOf(done, options);
    say(failure);
    console.log(failure);
    return { next: index + 1, failed };
  }
  return { next: options.runs, failed: false };
}

/** Leaves off at once: what was started is stopped by whoever started it. */
function untilInterrupted<T>(work: Promise<T>): Promise<T> {
  // What it still throws afterwards is of no interest.
  work.catch(() => {});
  return Promise.race([work, interrupted]);
}
