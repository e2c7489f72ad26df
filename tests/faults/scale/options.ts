import { parseArgs } from 'node:util';
import { resultsFile, wholeNumber } from '../../../bench/options.ts';
import { type ServiceName, serviceNames } from '../../../supervisor/src/services.ts';

export interface ScaleOptions {
  /** How long each number of replicas is measured. */
  seconds: number;
  clients: number;
  services: readonly ServiceName[];
  drainSeconds: number;
  /** Keeps data and logs of a passed run, too. */
  keep: boolean;
  out: string;
}

/** Parses the command line. Throws an error whose message explains the first invalid option. */
export function readOptions(args: string[]): ScaleOptions {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '15' },
      clients: { type: 'string', default: '16' },
      only: { type: 'string' },
      drain: { type: 'string', default: '5' },
      keep: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  const services = serviceNames.filter((name) => !values.only || name === values.only);
  if (services.length === 0) {
    throw new Error(`--only must be one of ${serviceNames.join(', ')}, not "${values.only}".`);
  }
  return {
    seconds: wholeNumber('--seconds', values.seconds, 1, 3_600),
    clients: wholeNumber('--clients', values.clients, 2, 200),
    services,
    drainSeconds: wholeNumber('--drain', values.drain, 1, 60),
    keep: values.keep,
    out: resultsFile(values.out, 'bench-scale.json'),
  };
}
