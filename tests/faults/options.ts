import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { wholeNumber } from '../../bench/options.ts';
import { repertoire } from './fault-catalogue/catalogue.ts';
import type { Profile } from './system/chaos-system.ts';

export interface Options {
  /** Of the first run; each next one's is one higher. */
  seed: number;
  runs: number;
  profiles: readonly Profile[];
  /** How long clients book in each run. */
  seconds: number;
  /** The one fault that comes, of those in the repertoire. */
  only: string | undefined;
  /** Data and logs stay, also when all is well. */
  keep: boolean;
  /** The absolute path of the totals. */
  json: string | undefined;
}

const PROFILES: Record<string, readonly Profile[]> = {
  embedded: ['embedded'],
  servers: ['servers'],
  both: ['embedded', 'servers'],
};

/** Reads the command line; throws a sentence that says what is wrong with it. */
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
    only: faultName(values.only, profiles),
    keep: values.keep,
    json: values.json && resolve(values.json),
  };
}

function faultName(name: string | undefined, profiles: readonly Profile[]): string | undefined {
  if (name === undefined) return undefined;
  const fault = repertoire.find((each) => each.name === name);
  if (!fault) {
    const names = repertoire.map((each) => each.name).join(', ');
    throw new Error(`--only must name a fault, not "${name}". There are: ${names}.`);
  }
  const elsewhere = profiles.find((profile) => (fault.profile ?? profile) !== profile);
  if (elsewhere) {
    throw new Error(`--only: ${name} is for --profile ${fault.profile}, not for ${elsewhere}.`);
  }
  return name;
}
