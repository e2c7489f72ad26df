// npm run ops -- backup: all data of the embedded profile in one file, while it runs or is stopped.
import { parseOptions, UsageError } from '../command.mjs';
import { importBuilt } from '../run-built.mjs';
import { abortOnSignal } from './abort-on-signal.mjs';
import { progressLine } from './progress.mjs';
import { dataFolder } from './running-system.mjs';

export const help = `Usage: npm run ops -- backup [FILE or FOLDER]

Writes a backup of the system that "npm start" runs, or ran: the databases of all contexts, the queue, and
the secrets of the home. It is taken while bookings go on, and is of one moment. Without an argument it is
backups/spacerent-<time>.tar.gz in the home; in another folder it has the same name. It has that name only
when it is whole. Nothing is ever overwritten.

The file holds secrets: who can read it can sign tokens and read all bookings. Only its owner may (mode
0600). Keep it away from the disk that it protects, and encrypt it where others could read it.

SPACERENT_HOME names the home (.spacerent without it). Databases on servers are backed up by their own
means: docs/operations/backup.md.`;

/** @param {string[]} args */
export async function run(args) {
  const { positionals } = parseOptions(help, { args, allowPositionals: true, options: {} });
  if (positionals.length > 1) throw new UsageError(`Name one file or folder.\n\n${help}`);
  const { backUp } = await importBuilt('supervisor/src/backup/back-up.js');
  const startedAt = performance.now();
  const show = progressLine();
  const { file, bytes } = await backUp({
    home: dataFolder(),
    target: positionals[0],
    say: console.log,
    onProgress: (/** @type {number} */ copied) => show(`${toMegabytes(copied)} MB copied`),
    abort: abortOnSignal(),
  }).finally(show.end);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`${file}\n${toMegabytes(bytes)} MB in ${seconds} s. It holds secrets: keep it safe.`);
}

/** @param {number} bytes */
function toMegabytes(bytes) {
  return (bytes / 1_000_000).toFixed(1);
}
