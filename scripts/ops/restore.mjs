// npm run ops -- restore: a backup of the embedded profile into a home.
import { parseOptions, UsageError } from '../command.mjs';
import { importBuilt } from '../run-built.mjs';
import { abortOnSignal } from './abort-on-signal.mjs';
import { dataFolder } from './running-system.mjs';

export const help = `Usage: npm run ops -- restore FILE [--replace]

Restores a backup into the home that SPACERENT_HOME names (.spacerent without it), on which nothing may run.
The file is read and compared with its checksums before anything is written; then PostgreSQL is started on
the restored data once, and they are compared with the manifest, before the home gets them. "npm start" then
starts on them. A backup of an older release is migrated by that start; one of a newer release is refused.

  --replace   in a home with data: moves these aside, into a folder replaced-<time> of the home

To test a backup, restore it into another home:
  SPACERENT_HOME=/tmp/trial npm run ops -- restore FILE
  SPACERENT_HOME=/tmp/trial PORT=4100 npm start`;

/** @param {string[]} args */
export async function run(args) {
  const { values, positionals } = parseOptions(help, {
    args,
    allowPositionals: true,
    options: { replace: { type: 'boolean', default: false } },
  });
  const [file] = positionals;
  if (!file || positionals.length > 1) throw new UsageError(`Name one backup.\n\n${help}`);
  const { restore } = await importBuilt('supervisor/src/backup/restore.js');
  const home = dataFolder();
  const restored = await restore({
    file,
    home,
    replace: values.replace,
    say: console.log,
    abort: abortOnSignal(),
  });
  console.log(toSummary(home, restored));
}

/**
 * @param {string} home
 * @param {{ takenAt: string, release: string, rows: Record<string, Record<string, number>>,
 *   redelivered: number, movedTo: string | undefined }} restored
 */
function toSummary(home, { takenAt, release, rows, redelivered, movedTo }) {
  const lines = Object.entries(rows).map(([name, tables]) => {
    const total = Object.values(tables).reduce((sum, count) => sum + count, 0);
    return `  ${name.padEnd(10)}${number(total)} rows in ${Object.keys(tables).length} tables`;
  });
  lines.unshift(`${home} has the data of ${takenAt}, of release ${release}:`);
  lines.push(`${number(redelivered)} events are compared with the read model at the next start.`);
  if (movedTo) lines.push(`The data from before are in ${movedTo}.`);
  return lines.join('\n');
}

/** @param {number} value */
function number(value) {
  return value.toLocaleString('en-US');
}
