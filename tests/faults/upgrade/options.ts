import { parseArgs } from 'node:util';
import { wholeNumber } from '../../../bench/options.ts';
import { PROFILES } from '../options.ts';
import type { Profile } from '../system/chaos-system.ts';

export interface UpgradeOptions {
  profiles: readonly Profile[];
  /** The seed of the customers' random choices. */
  seed: number;
  isShort: boolean;
  /** Keeps data and logs of a passed run, too. */
  keep: boolean;
}

/** Parses the command line. Throws an error whose message explains the first invalid option. */
export function readOptions(args: string[]): UpgradeOptions {
  const { values } = parseArgs({
    args,
    options: {
      profile: { type: 'string', default: 'embedded' },
      seed: { type: 'string' },
      short: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const profiles = PROFILES[values.profile];
  if (!profiles) {
    throw new Error(`--profile must be embedded, servers or both, not "${values.profile}".`);
  }
  const seed = values.seed ?? String(Math.floor(Math.random() * 1_000_000));
  return {
    profiles,
    seed: wholeNumber('--seed', seed, 0, 2_000_000_000),
    isShort: values.short,
    keep: values.keep,
  };
}
