import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { projectFile } from '#platform/config/project.ts';
import { resultsFile, wholeNumber } from '../options.ts';

export interface Options {
  /** How many clients watch the space. */
  watchers: number;
  /** How many changes are measured, one after the other. */
  changes: number;
  /** Where the system's databases are during the measurement. */
  folder: string;
  out: string;
}

const MAX_WATCHERS = 20_000;

/** Reads the command line; throws a sentence that says what is wrong with it. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      watchers: { type: 'string', default: '1000' },
      changes: { type: 'string', default: '50' },
      folder: { type: 'string', default: projectFile('.spacerent') },
      out: { type: 'string' },
    },
  });
  return {
    watchers: wholeNumber('--watchers', values.watchers, 1, MAX_WATCHERS),
    changes: wholeNumber('--changes', values.changes, 2, 1_000),
    folder: resolve(values.folder),
    out: resultsFile(values.out, 'bench-free-slots.json'),
  };
}
