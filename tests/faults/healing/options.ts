import { parseArgs } from 'node:util';
import { resultsFile, wholeNumber } from '../../../bench/options.ts';
import { GROUPS, type Group } from './fault.ts';

export interface HealingOptions {
  groups: readonly Group[];
  /** How many clients act; every other one books, the others read. */
  clients: number;
  /** The first fault of each group, of replicas alone, whose probes are hastened. */
  isShort: boolean;
  /** Keeps data and logs of a good run, too. */
  keep: boolean;
  out: string;
}

/** Parses the command line. Throws an error whose message explains the first invalid option. */
export function readOptions(args: string[]): HealingOptions {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      clients: { type: 'string', default: '12' },
      short: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  return {
    groups: readGroups(values.only),
    clients: wholeNumber('--clients', values.clients, 2, 200),
    isShort: values.short,
    keep: values.keep,
    out: resultsFile(values.out, 'bench-healing.json'),
  };
}

function readGroups(only: string | undefined): readonly Group[] {
  if (only === undefined) return GROUPS;
  const names = only.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !(GROUPS as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new Error(
      `--only takes some of ${GROUPS.join(', ')}, separated by commas, not "${unknown}".`,
    );
  }
  return GROUPS.filter((group) => names.includes(group));
}
