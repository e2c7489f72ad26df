import { parseArgs } from 'node:util';
import { resultsFile, wholeNumber } from '../../../bench/options.ts';

/** From the last release to this version, and from this version to itself. */
export const ROUNDS = ['upgrade', 'restart'] as const;

export interface RolloutOptions {
  /** How many requests the clients send at least. */
  requests: number;
  subscribers: number;
  readers: number;
  drainSeconds: number;
  /** Restarts this version alone, and one replica of each service. */
  isShort: boolean;
  /** The only round; undefined: all. */
  only: (typeof ROUNDS)[number] | undefined;
  /** Keeps data and logs of a passed run, too. */
  keep: boolean;
  out: string;
}

/** Parses the command line. Throws an error whose message explains the first invalid option. */
export function readOptions(args: string[]): RolloutOptions {
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: 'string', default: '50000' },
      subscribers: { type: 'string', default: '200' },
      readers: { type: 'string', default: '16' },
      drain: { type: 'string', default: '5' },
      only: { type: 'string' },
      short: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  const only = ROUNDS.find((round) => round === values.only);
  if (values.only !== undefined && !only) {
    throw new Error(`--only must be ${ROUNDS.join(' or ')}, not "${values.only}".`);
  }
  return {
    requests: wholeNumber('--requests', values.requests, 1, 10_000_000),
    subscribers: wholeNumber('--subscribers', values.subscribers, 1, 2_000),
    readers: wholeNumber('--readers', values.readers, 1, 200),
    drainSeconds: wholeNumber('--drain', values.drain, 1, 60),
    only: values.short ? 'restart' : only,
    isShort: values.short,
    keep: values.keep,
    out: resultsFile(values.out, 'bench-rollout.json'),
  };
}
