import { parseArgs } from 'node:util';
import { resultsFile, wholeNumber } from '../options.ts';

export interface Options {
  against: string | undefined;
  rounds: number;
  bookings: number;
  reads: number;
  percent: number;
  out: string;
}

export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      against: { type: 'string' },
      rounds: { type: 'string', default: '40' },
      bookings: { type: 'string', default: '25' },
      reads: { type: 'string', default: '150' },
      percent: { type: 'string', default: '1' },
      out: { type: 'string' },
    },
  });
  return {
    against: values.against,
    rounds: wholeNumber('--rounds', values.rounds, 1, 1_000),
    bookings: wholeNumber('--bookings', values.bookings, 10, 10_000),
    reads: wholeNumber('--reads', values.reads, 10, 100_000),
    percent: wholeNumber('--percent', values.percent, 0, 100),
    out: resultsFile(values.out, 'bench-tracing.json'),
  };
}
