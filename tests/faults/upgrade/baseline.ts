import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { contextNames } from '#contracts/topology.ts';
import { projectFile } from '#platform/config/project.ts';
import { installPackages } from './baseline-packages.ts';

/** The earlier version of the project, built. */
export interface Baseline {
  commit: string;
  root: string;
}

const COMMIT_FILE = 'contracts/baseline/commit';

/**
 * Builds the baseline's commit with its own scripts, in a folder under .spacerent that the next run
 * uses again. Throws an error when the repository lacks the commit or the build fails.
 */
export function buildBaseline(log: (line: string) => void): Baseline {
  const commit = readFileSync(projectFile(COMMIT_FILE), 'utf8').trim();
  const parent = projectFile('.spacerent');
  const root = join(parent, `baseline-${commit.slice(0, 12)}`);
  if (!existsSync(root)) {
    requireCommit(commit);
    removeOtherBaselines(parent);
    mkdirSync(parent, { recursive: true, mode: 0o700 });
    const unpacked = mkdtempSync(join(parent, 'baseline-unpacking-'));
    try {
      unpack(commit, unpacked);
      renameSync(unpacked, root);
    } catch (error) {
      rmSync(unpacked, { recursive: true, force: true });
      throw error;
    }
  }
  log(`building ${commit.slice(0, 12)}, the baseline`);
  const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], {
    cwd: root,
    encoding: 'utf8',
  });
  if (built.status !== 0) {
    throw new Error(`The baseline ${commit} does not build:\n${built.stdout}${built.stderr}`);
  }
  return { commit, root };
}

/** Removes builds of other baselines and the remains of an interrupted run. */
function removeOtherBaselines(parent: string): void {
  if (!existsSync(parent)) return;
  const names = readdirSync(parent).filter((name) => name.startsWith('baseline-'));
  for (const name of names) rmSync(join(parent, name), { recursive: true, force: true });
}

function requireCommit(commit: string): void {
  const { status } = spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`], {
    cwd: projectFile('.'),
    stdio: 'ignore',
  });
  if (status === 0) return;
  throw new Error(
    `The upgrade test starts from the commit ${commit} (${COMMIT_FILE}), which is not in this ` +
      'repository. In a shallow clone run "git fetch --unshallow"; without git, clone the repository.',
  );
}

function unpack(commit: string, folder: string): void {
  const archive = execFileSync('git', ['archive', '--format=tar', commit], {
    cwd: projectFile('.'),
    maxBuffer: 1 << 28,
  });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  installPackages(folder, projectFile('node_modules'));
  // The baseline's build replaces what does not match its sources.
  const outputs = ['dist', ...contextNames.map((name) => `prisma/${name}/generated`)];
  for (const path of outputs.filter((each) => existsSync(projectFile(each)))) {
    cpSync(projectFile(path), join(folder, path), { recursive: true });
  }
}
