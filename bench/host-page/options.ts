import { parseArgs } from 'node:util';
import { resultsFile, wholeNumber } from '../options.ts';

export interface Options {
  /** How many bookings are stored. */
  stored: number;
  /** How many pages are read of each host. */
  requests: number;
  /** A MariaDB or MySQL server, on which a scratch database is created; undefined: SQLite alone. */
  mariadbUrl: string | undefined;
  out: string;
}

/** Reads the command line; throws a sentence that says what is wrong with it. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      stored: { type: 'string', default: '1000000' },
      requests: { type: 'string', default: '1000' },
      'mariadb-url': { type: 'string' },
      out: { type: 'string' },
    },
  });
  return {
    stored: wholeNumber('--stored', values.stored, 100_000, 10_000_000),
    requests: wholeNumber('--requests', values.requests, 10, 100_000),
    mariadbUrl: values['mariadb-url'],
    out: resultsFile(values.out, 'bench-host-page.json'),
  };
}
