import { spawnSync } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Gives the baseline in `root` the packages of its own lock file: links to the files of this version's packages,
 * most of which are the same, and what npm changes of them. To install them all takes a minute of CPU time. Where
 * it fails, the baseline's build installs its packages itself.
 */
export function installPackages(root: string, ownPackages: string): void {
  try {
    linkFolder(ownPackages, join(root, 'node_modules'));
  } catch {
    // Another file system, or none with hard links.
    return;
  }
  const flags = ['--no-save', '--include=dev', '--include=optional', '--ignore-scripts'];
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  spawnSync('npm', ['install', ...flags, ...quiet], { cwd: root });
}

/** npm replaces a file of a package, but writes its own at the top, whose names begin with a dot, in place. */
function linkFolder(from: string, to: string, isTop = true): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) linkFolder(source, target, false);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (isTop && entry.name.startsWith('.')) copyFileSync(source, target);
    else linkSync(source, target);
  }
}
