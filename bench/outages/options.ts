import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { projectFile } from '#platform/config/project.ts';
import { resultsFile, wholeNumber } from '../options.ts';

export interface Options {
  /** How many bookings a second are requested while payment is silent. */
  rate: number;
  seconds: number;
  /** How many events wait for space; 0: left out. */
  backlog: number;
  /** Where the system's databases are during the measurement. */
  folder: string;
  out: string;
}

/** Reads the command line; throws a sentence that says what is wrong with it. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      rate: { type: 'string', default: '30' },
      seconds: { type: 'string', default: '20' },
      backlog: { type: 'string', default: '100000' },
      folder: { type: 'string', default: projectFile('.spacerent') },
      out: { type: 'string' },
    },
  });
  return {
    rate: wholeNumber('--rate', values.rate, 1, 1_000),
    seconds: wholeNumber('--seconds', values.seconds, 1, 600),
    backlog: wholeNumber('--backlog', values.backlog, 0, 10_000_000),
    folder: resolve(values.folder),
    out: resultsFile(values.out, 'bench-outages.json'),
  };
}
