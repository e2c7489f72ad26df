import { parseArgs } from 'node:util';
import { resultsFile, wholeNumber } from '../options.ts';

export interface Options {
  /** How long bookings are measured, each time. */
  seconds: number;
  clients: number;
  /** How many bookings are stored before the second measurement. */
  stored: number;
  /** The absolute path of the results. */
  out: string;
}

/** Reads the command line; throws a sentence that says what is wrong with it. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '20' },
      clients: { type: 'string', default: '32' },
      stored: { type: 'string', default: '100000' },
      out: { type: 'string' },
    },
  });
  return {
    seconds: wholeNumber('--seconds', values.seconds, 1, 600),
    clients: wholeNumber('--clients', values.clients, 1, 256),
    stored: wholeNumber('--stored', values.stored, 0, 10_000_000),
    out: resultsFile(values.out, 'bench-results.json'),
  };
}
