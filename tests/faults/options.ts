import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { wholeNumber } from '../../bench/options.ts';
import { faultCatalogue, isInProfile } from './fault-catalogue/catalogue.ts';
import type { Profile } from './system/chaos-system.ts';

export interface Options {
  /** Of the first run; the seed of each next run is one higher. */
  seed: number;
  runs: number;
  profiles: readonly Profile[];
  /** The shortest duration of the load in each run. */
  seconds: number;
  /** Injects only this fault. */
  only: string | undefined;
  /** Keeps data and logs of passed runs, too. */
  keep: boolean;
  /** The absolute path of the file for the results. */
  json: string | undefined;
}

/** The values of `--profile`. */
export const PROFILES: Record<string, readonly Profile[]> = {
  embedded: ['embedded'],
  servers: ['servers'],
  both: ['embedded', 'servers'],
};

/** Parses the command line. Throws an error whose message explains the first invalid option. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      runs: { type: 'string', default: '10' },
      profile: { type: 'string', default: 'embedded' },
      seconds: { type: 'string', default: '4' },
      only: { type: 'string' },
      keep: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const profiles = PROFILES[values.profile];
  if (!profiles) {
    throw new Error(`--profile must be embedded, servers or both, not "${values.profile}".`);
  }
  const seed = values.seed ?? String(Math.floor(Math.random() * 1_000_000));
  return {
    seed: wholeNumber('--seed', seed, 0, 2_000_000_000),
    runs: wholeNumber('--runs', values.runs, 1, 100_000),
    profiles,
    seconds: wholeNumber('--seconds', values.seconds, 1, 600),
    only: parseFaultName(values.only, profiles),
    keep: values.keep,
    json: values.json && resolve(values.json),
  };
}

function parseFaultName(
  name: string | undefined,
  profiles: readonly Profile[],
): string | undefined {
  if (name === undefined) return undefined;
  const fault = faultCatalogue.find((each) => each.name === name);
  if (!fault) {
    const names = faultCatalogue.map((each) => each.name).join(', ');
    throw new Error(`--only must name a fault, not "${name}". The faults are: ${names}.`);
  }
  const other = profiles.find((profile) => !isInProfile(fault, profile));
  if (other) {
    throw new Error(`--only: ${name} is for --profile ${fault.profile}, not for ${other}.`);
  }
  return name;
}
