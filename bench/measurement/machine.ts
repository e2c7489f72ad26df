import { cpus } from 'node:os';

export interface Machine {
  cpus: number;
  model: string;
  node: string;
}

/** What the results depend on besides the code. */
export function readMachine(): Machine {
  return { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version };
}
