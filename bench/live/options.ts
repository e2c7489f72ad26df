import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { projectFile } from '#platform/config/project.ts';
import { resultsFile, wholeNumber } from '../options.ts';

export interface Options {
  /** The numbers of subscribers, measured one after the other. */
  subscribers: number[];
  /** How many bookings change a second while latency is measured. */
  rate: number;
  /** How long each part is measured. */
  seconds: number;
  /** Where the system's databases are during the measurement. */
  folder: string;
  out: string;
}

const MAX_SUBSCRIBERS = 25_000;
/** Files that a process has open in addition to its subscribers' sockets. */
const OTHER_FILES = 200;

/** Reads the command line; throws a sentence that says what is wrong with it, or with the machine. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      subscribers: { type: 'string', default: '1000,10000' },
      rate: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '8' },
      folder: { type: 'string', default: projectFile('.spacerent') },
      out: { type: 'string' },
    },
  });
  const subscribers = values.subscribers
    .split(',')
    .map((each) => wholeNumber('--subscribers', each, 1, MAX_SUBSCRIBERS));
  requireOpenFiles(Math.max(...subscribers) + OTHER_FILES);
  return {
    subscribers,
    rate: wholeNumber('--rate', values.rate, 1, 1_000),
    seconds: wholeNumber('--seconds', values.seconds, 1, 60),
    folder: resolve(values.folder),
    out: resultsFile(values.out, 'bench-live.json'),
  };
}

function requireOpenFiles(needed: number): void {
  if (process.platform !== 'linux') throw new Error('This benchmark reads /proc: it needs Linux.');
  // Node raises its own limit to the hard one as it starts.
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const [, allowed] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  if (allowed === undefined || Number(allowed) >= needed) return;
  throw new Error(
    `A process may open ${allowed} files, and ${needed} are needed: raise it (ulimit -n ${needed}) or ` +
      'measure with fewer --subscribers.',
  );
}
