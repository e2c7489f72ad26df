import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../command.mjs';

const SOURCES = ['contracts', 'platform', 'router', 'subgraphs', 'supervisor', 'prisma'];
const FILES = ['supergraph.yaml'];
/** Tests do not run here; the others are written by the build itself. */
const SKIPPED = /(^|\/)(test|generated)(\/|$)|^router\/supergraph\.graphql$/;

/**
 * When each source was last changed, by its path. Polled instead of watched: editors that replace files, and
 * folders that are new, escape Node's recursive watching on Linux.
 *
 * @returns {Map<string, number>}
 */
export function readSourceTimes() {
  const paths = SOURCES.flatMap((folder) =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder), { encoding: 'utf8', recursive: true }).map((name) =>
          join(folder, name),
        )
      : [],
  );
  /** @type {Map<string, number>} */
  const times = new Map();
  for (const path of [...paths, ...FILES]) {
    if (SKIPPED.test(path)) continue;
    // A file that is being replaced is absent for a moment.
    const stats = statSync(join(root, path), { throwIfNoEntry: false });
    if (stats?.isFile()) times.set(path, stats.mtimeMs);
  }
  return times;
}

/**
 * The paths that are new, changed or gone.
 *
 * @param {Map<string, number>} before
 * @param {Map<string, number>} now
 */
export function findChanges(before, now) {
  const changed = [...now].filter(([path, time]) => before.get(path) !== time);
  const gone = [...before.keys()].filter((path) => !now.has(path));
  return [...changed.map(([path]) => path), ...gone];
}
