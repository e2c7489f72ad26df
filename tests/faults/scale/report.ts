import type { ScaleResult, ScaleStep } from './run.ts';

const MAX_LINES = 20;

/** The results as text. */
export function toReport({ steps, requests, bookings, failures }: ScaleResult): string {
  return [
    '',
    `${['service', 'replicas', 'requests/s', 'p50 / p99 ms', 'CPU ms', 'own CPU ms']
      .map((cell, index) => (index === 0 ? cell.padEnd(10) : cell.padStart(14)))
      .join('')}   requests and events of each replica, %`,
    ...steps.map(formatStep),
    '',
    'CPU: of all services and of this service alone, for each request of a client.',
    `${requests} requests, of which ${bookings} bookings; ${failures.length} failed requests and violated invariants.`,
    ...failures.slice(0, MAX_LINES).map((failure) => `  ${failure}`),
    ...(failures.length > MAX_LINES ? [`  and ${failures.length - MAX_LINES} more`] : []),
  ].join('\n');
}

function formatStep(step: ScaleStep): string {
  const { service, replicas, requestsPerSecond, latencies, cpuPerRequest, ownCpuPerRequest } = step;
  const cells = [
    replicas,
    requestsPerSecond.toFixed(1),
    `${latencies.p50.toFixed(0)} / ${latencies.p99.toFixed(0)}`,
    cpuPerRequest.toFixed(1),
    ownCpuPerRequest.toFixed(1),
  ].map((cell) => String(cell).padStart(14));
  const requests = toShares(step.work.map((work) => work.requests));
  const events = toShares(step.work.map((work) => work.events));
  return `${service.padEnd(10)}${cells.join('')}   ${requests}; ${events}`;
}

/** Percentages of the sum; a dash where there is none: the router consumes no events. */
function toShares(parts: readonly number[]): string {
  const sum = parts.reduce((total, part) => total + part, 0);
  return sum === 0 ? '–' : parts.map((part) => ((part / sum) * 100).toFixed(0)).join(' ');
}
