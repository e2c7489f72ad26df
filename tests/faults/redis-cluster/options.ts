import { parseArgs } from 'node:util';
import { resultsFile, wholeNumber } from '../../../bench/options.ts';

export interface RedisClusterRunOptions {
  subscribers: number;
  readers: number;
  /** How long clients work before, between and after the faults. */
  restSeconds: number;
  /** Moves slots and kills one master; the whole form freezes another one, too. */
  isShort: boolean;
  /** Keeps data and logs of a passed run, too. */
  keep: boolean;
  out: string;
}

/** Parses the command line. Throws an error whose message explains the first invalid option. */
export function readOptions(args: string[]): RedisClusterRunOptions {
  const { values } = parseArgs({
    args,
    options: {
      subscribers: { type: 'string', default: '40' },
      readers: { type: 'string', default: '4' },
      rest: { type: 'string', default: '20' },
      short: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  return {
    subscribers: wholeNumber('--subscribers', values.subscribers, 1, 2_000),
    readers: wholeNumber('--readers', values.readers, 1, 200),
    restSeconds: wholeNumber('--rest', values.rest, 0, 3_600),
    isShort: values.short,
    keep: values.keep,
    out: resultsFile(values.out, 'bench-redis-cluster.json'),
  };
}
