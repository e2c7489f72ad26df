import type { Latencies } from '../measurement/latencies.ts';
import type { Machine } from '../measurement/machine.ts';
import type { Options } from './options.ts';

export interface Results {
  startedAt: string;
  options: Options;
  machine: Machine;
  /** From the request of a change to the receipt by a client. */
  sinceRequest: Latencies;
  /** From the response to that request; 0 where the client received the change before it. */
  sinceResponse: Latencies;
  /** How often book computed the slots for one change. */
  computationsPerChange: number;
}

const AIM_MS = 200;

/** The results as text. */
export function toReport({
  options: { watchers, changes },
  sinceRequest,
  sinceResponse,
  computationsPerChange,
}: Results): string {
  const line = (name: string, { p50, p95, p99 }: Latencies) =>
    `  ${name.padEnd(44)}${[p50, p95, p99].map((ms) => ms.toFixed(0)).join(' / ')}`;
  return [
    '',
    `${watchers} clients watch the free slots of one space, which changes ${changes} times:`,
    line('request → receipt, ms (p50 / p95 / p99)', sinceRequest),
    line('response → receipt, ms (p50 / p95 / p99)', sinceResponse),
    `  ${'computations for each change'.padEnd(44)}${computationsPerChange.toFixed(2)}`,
    '',
    `Aims: response → receipt below ${AIM_MS} ms, one computation for each change.`,
  ].join('\n');
}
