import { parseArgs } from 'node:util';
import { resultsFile, wholeNumber } from '../options.ts';

export interface Options {
  /** How long each load is measured. */
  seconds: number;
  /** The number of clients whose throughput the model must reproduce. */
  clients: number;
  /** The busiest hour's bookings, as a multiple of the average hour's. */
  peak: number;
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
      peak: { type: 'string', default: '10' },
      out: { type: 'string' },
    },
  });
  return {
    seconds: wholeNumber('--seconds', values.seconds, 3, 600),
    clients: wholeNumber('--clients', values.clients, 8, 256),
    peak: wholeNumber('--peak', values.peak, 1, 1_000),
    out: resultsFile(values.out, 'bench-capacity-model.json'),
  };
}
