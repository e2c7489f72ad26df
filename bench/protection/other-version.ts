import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile } from '#platform/config/project.ts';

/** Another version of the project, built and ready to start. */
export interface OtherVersion {
  /** Its root. */
  root: string;
  commit: string;
  remove(): void;
}

/** Checks out and builds the version in a worktree, with this version's packages. Throws a sentence. */
export function buildOtherVersion(ref: string): OtherVersion {
  const root = mkdtempSync(join(projectFile('.spacerent'), 'version-'));
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: projectFile('.'), encoding: 'utf8', stdio: 'pipe' }).trim();
  const remove = () => {
    if (existsSync(join(root, '.git'))) git('worktree', 'remove', '--force', root);
    rmSync(root, { recursive: true, force: true });
  };
  try {
    const commit = git('rev-parse', '--verify', `${ref}^{commit}`);
    git('worktree', 'add', '--detach', root, commit);
    symlinkSync(projectFile('node_modules'), join(root, 'node_modules'));
    const prepare = 'await (await import("./scripts/prepare.mjs")).prepare()';
    execFileSync(process.execPath, ['--input-type=module', '-e', prepare], {
      cwd: root,
      stdio: 'pipe',
    });
    return { root, commit, remove };
  } catch (error) {
    remove();
    const { stderr, message } = error as { stderr?: Buffer | string; message: string };
    throw new Error(`The version ${ref} cannot be built: ${stderr?.toString().trim() || message}`);
  }
}
