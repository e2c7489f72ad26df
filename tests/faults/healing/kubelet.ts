import { setTimeout as wait } from 'node:timers/promises';
import type { Replica } from '../replicas/replica.ts';
import type { ChartProbes } from './probes.ts';

/**
 * Ends processes that do not respond to the chart's liveness probe, as Kubernetes does: SIGTERM, and SIGKILL after the
 * grace period. It runs until the signal. Who ends is started again by its supervisor, as a container is.
 */
export function playKubelet(
  replicas: readonly Replica[],
  probes: ChartProbes,
  log: (line: string) => void,
  signal: AbortSignal,
): void {
  for (const replica of replicas) void watch(replica, probes, log, signal).catch(() => {});
}

async function watch(
  replica: Replica,
  { startup, liveness, graceMs }: ChartProbes,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  /** The process that has responded; before that the startup probe watches it. */
  let started: number | undefined;
  let failures = 0;
  for (let probedAt = performance.now(); ; ) {
    const { pid } = replica;
    const probe = pid !== undefined && pid === started ? liveness : startup;
    const pauseMs = Math.max(0, probedAt + probe.periodMs - performance.now());
    await wait(pauseMs, undefined, { signal, ref: false });
    probedAt = performance.now();
    if (await respondsAlive(replica, probe.timeoutMs)) {
      failures = 0;
      started = replica.pid;
      continue;
    }
    failures = pid === undefined || replica.pid !== pid ? 0 : failures + 1;
    if (failures < probe.failures) continue;
    log(`${replica.name} does not respond to its liveness probe: it is ended`);
    replica.signal('SIGTERM');
    for (const deadline = Date.now() + graceMs; replica.pid === pid && Date.now() < deadline; ) {
      await wait(100, undefined, { signal, ref: false });
    }
    if (replica.pid === pid) replica.signal('SIGKILL');
    failures = 0;
  }
}

async function respondsAlive({ url }: Replica, timeoutMs: number): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
