import { cpus } from 'node:os';

export interface Machine {
  cpus: number;
  model: string;
  node: string;
}

/** The properties of the machine that the results depend on. */
export function readMachine(): Machine {
  return { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version };
}
