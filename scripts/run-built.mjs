// What npm's scripts begin with that need packages and the build: both are brought up to date.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, runCommand } from './command.mjs';

/** Installs what is missing and builds what is out of date; throws a sentence if it can't. */
export async function installAndBuild() {
  // Imported only now: an old Node fails to load these modules before requireNode() can report its version.
  const { ensureInstalled } = await import('./install.mjs');
  const { prepare } = await import('./prepare.mjs');
  await ensureInstalled();
  await prepare();
}

/**
 * Prints `help` for --help, or becomes the built program `dist/<program>`: in this very process, so that signals
 * and the exit code need no passing on, and nothing can be orphaned. `args` are what the program reads as
 * its own.
 *
 * @param {string} help
 * @param {string} program
 * @param {string[]} [args]
 */
export async function runBuilt(help, program, args = process.argv.slice(2)) {
  await runCommand(
    help,
    async () => {
      await installAndBuild();
      process.argv.splice(2, process.argv.length, ...args);
      await import(pathToFileURL(join(root, 'dist', program)).href);
    },
    args,
  );
}

/**
 * The exports of the built module `dist/<module>`, brought up to date.
 *
 * @param {string} module
 */
export async function importBuilt(module) {
  await installAndBuild();
  return import(pathToFileURL(join(root, 'dist', module)).href);
}
