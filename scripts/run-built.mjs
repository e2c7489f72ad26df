// What npm's scripts begin with: the packages and the build are brought up to date.
import { requireNode } from './node-version.mjs';

/** Installs what is missing and builds what is out of date; ends the process with a sentence if it can't. */
export async function installAndBuild() {
  requireNode();
  // Only now: a Node that is too old is to be told so, and not to stumble over these.
  const { ensureInstalled } = await import('./install.mjs');
  const { prepare } = await import('./prepare.mjs');
  try {
    await ensureInstalled();
    await prepare();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

/**
 * Answers --help, or becomes the built program `dist/<program>`: in this very process, so that signals
 * and the exit code need no passing on, and nothing can be orphaned.
 */
export async function runBuilt(help, program) {
  if (asksForHelp()) return console.log(help);
  await installAndBuild();
  await import(`../dist/${program}`);
}

/** Is the help wanted, and nothing else? */
export function asksForHelp() {
  return process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h');
}
