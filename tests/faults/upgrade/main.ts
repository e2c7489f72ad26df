import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectFile } from '#platform/config/project.ts';
import { wholeNumber } from '../../../bench/options.ts';
import { type Profile, startSystem } from '../system/chaos-system.ts';
import { type Baseline, buildBaseline } from './baseline.ts';
import { runUpgrade, type UpgradeResult } from './run.ts';
import type { Version } from './steps.ts';

const PROFILES: Record<string, readonly Profile[]> = {
  embedded: ['embedded'],
  servers: ['servers'],
  both: ['embedded', 'servers'],
};

// What would turn a profile into another one, or its services into other ones.
for (const name of Object.keys(process.env)) {
  if (
    /^(HOST|PORT|AUTH_\w+|INTERNAL_TOKEN_KEYS|REDIS_URL|\w+_DATABASE_URL|(BOOK|PAYMENT|SPACE|MYPAGE)_URL|NODE_OPTIONS)(_FILE)?$/.test(
      name,
    )
  ) {
    delete process.env[name];
  }
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interruption.abort(new Error('Interrupted.')));
}
const interrupted = new Promise<never>((_, reject) => {
  interruption.signal.addEventListener('abort', () => reject(interruption.signal.reason));
});
interrupted.catch(() => {});

try {
  const { profiles, ...options } = readOptions(process.argv.slice(2));
  const baseline = buildBaseline((line) => console.log(line));
  for (const profile of profiles) await upgradeOn(profile, baseline, options);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
process.exit();

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      profile: { type: 'string', default: 'embedded' },
      seed: { type: 'string' },
      short: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const profiles = PROFILES[values.profile];
  if (!profiles) {
    throw new Error(`--profile must be embedded, servers or both, not "${values.profile}".`);
  }
  const seed = values.seed ?? String(Math.floor(Math.random() * 1_000_000));
  return {
    profiles,
    seed: wholeNumber('--seed', seed, 0, 2_000_000_000),
    isShort: values.short,
    keepAll: values.keep,
  };
}

async function upgradeOn(
  profile: Profile,
  baseline: Baseline,
  { seed, isShort, keepAll }: { seed: number; isShort: boolean; keepAll: boolean },
) {
  const home = mkdtempSync(join(projectFile('.spacerent'), 'upgrade-'));
  const startedAt = Date.now();
  const ended: string[] = [];
  const say = (line: string) =>
    appendFileSync(join(home, 'upgrade.log'), `${new Date().toISOString()} ${line}\n`);
  const supervised = (line: string) => {
    say(line);
    if (/ ended \(/.test(line)) ended.push(line);
  };
  const tell = (line: string) => {
    say(line);
    const seconds = ((Date.now() - startedAt) / 1_000).toFixed(0);
    console.log(`${profile} ${seconds.padStart(4)} s | ${line}`);
  };
  const now = new Set<string>();
  const rootOf = (process: string) => (now.has(process) ? projectFile('.') : baseline.root);
  const setVersion = (process: string, version: Version) =>
    void (version === 'now' ? now.add(process) : now.delete(process));
  const steps: (() => Promise<void>)[] = [];
  let keep = true;
  try {
    tell(`seed ${seed}: starting ${baseline.commit.slice(0, 12)}`);
    const work = startSystem(profile, home, supervised, (step) => steps.push(step), rootOf).then(
      (system) =>
        runUpgrade(
          system,
          { seed, isShort, setVersion, ended: () => ended },
          tell,
          interruption.signal,
        ),
    );
    // What it still throws after an interruption is of no interest.
    work.catch(() => {});
    const result = await Promise.race([work, interrupted]);
    report(profile, result);
    keep = keepAll || result.violations.length > 0;
  } catch (error) {
    keep = keepAll || !interruption.signal.aborted;
    throw error;
  } finally {
    for (const step of steps.reverse()) {
      await step().catch((error: Error) => console.error(`While stopping: ${error.message}`));
    }
    if (keep) console.log(`Data and logs: ${home}`);
    else rmSync(home, { recursive: true, force: true });
  }
}

function report(profile: Profile, { steps, answers, violations }: UpgradeResult): void {
  for (const { kind, invariant, culprit, detail } of violations) {
    console.log(`  ${kind}: ${invariant}: ${[culprit, detail].filter(Boolean).join(' ')}`);
  }
  const count = (kind: string) => violations.filter((each) => each.kind === kind).length;
  console.log(
    `${violations.length === 0 ? 'ok  ' : 'FAIL'} ${profile}: ${steps} processes exchanged, ` +
      `${answers.ok} answers ok, ${answers.refused} refused, ${answers.unknown} unknown; ` +
      `lost ${count('lost')}, doubled ${count('doubled')}, unexpected ${count('unexpected')}`,
  );
  if (violations.length > 0) process.exitCode = 1;
}
