import { projectFile } from '#platform/config/project.ts';
import { handleInterruption } from '../interruption.ts';
import { type RunFolder, withRunFolder } from '../run-folder.ts';
import { removeServiceSettings } from '../service-settings.ts';
import { type Profile, startSystem } from '../system/chaos-system.ts';
import { type Baseline, buildBaseline } from './baseline.ts';
import { readOptions, type UpgradeOptions } from './options.ts';
import { runUpgrade, type UpgradeResult } from './run.ts';
import type { Version } from './steps.ts';

removeServiceSettings();
// Options for this process are not meant for the baseline's build and services.
delete process.env.NODE_OPTIONS;
const interruption = handleInterruption();
try {
  const options = readOptions(process.argv.slice(2));
  const baseline = buildBaseline((line) => console.log(line));
  for (const profile of options.profiles) {
    await withRunFolder('upgrade', options.keep, interruption.signal, async (folder) => {
      const result = await interruption.orAbort(upgrade(profile, baseline, options, folder));
      report(profile, result);
      return { failed: result.violations.length > 0 };
    });
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
process.exit();

/** Starts the baseline version and replaces it process by process. */
async function upgrade(
  profile: Profile,
  baseline: Baseline,
  { seed, isShort }: UpgradeOptions,
  folder: RunFolder,
): Promise<UpgradeResult> {
  const startedAt = Date.now();
  const logProgress = (line: string) => {
    folder.log(line);
    const seconds = ((Date.now() - startedAt) / 1_000).toFixed(0);
    console.log(`${profile} ${seconds.padStart(4)} s | ${line}`);
  };
  const unexpectedEnds: string[] = [];
  const logSupervisor = (line: string) => {
    folder.log(line);
    if (/ ended \(/.test(line)) unexpectedEnds.push(line);
  };
  const upgraded = new Set<string>();
  const rootFor = (process: string) => (upgraded.has(process) ? projectFile('.') : baseline.root);
  const setVersion = (process: string, version: Version) =>
    void (version === 'current' ? upgraded.add(process) : upgraded.delete(process));

  logProgress(`seed ${seed}: starting ${baseline.commit.slice(0, 12)}`);
  const system = await startSystem(profile, { ...folder, log: logSupervisor }, rootFor);
  return runUpgrade(
    system,
    { seed, isShort, setVersion, unexpectedEnds: () => unexpectedEnds },
    logProgress,
    interruption.signal,
  );
}

function report(profile: Profile, { steps, outcomes, violations }: UpgradeResult): void {
  for (const { kind, invariant, subject, detail } of violations) {
    console.log(`  ${kind}: ${invariant}: ${[subject, detail].filter(Boolean).join(' ')}`);
  }
  const count = (kind: string) => violations.filter((each) => each.kind === kind).length;
  console.log(
    `${violations.length === 0 ? 'ok  ' : 'FAIL'} ${profile}: ${steps} steps; ` +
      `responses: ${outcomes.ok} ok, ${outcomes.refused} refused, ${outcomes.unknown} unknown; ` +
      `lost ${count('lost')}, duplicated ${count('duplicated')}, unexpected ${count('unexpected')}`,
  );
  if (violations.length > 0) process.exitCode = 1;
}
