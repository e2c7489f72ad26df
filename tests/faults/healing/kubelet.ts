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
  { liveness, graceMs }: ChartProbes,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let probed: number | undefined;
  let failures = 0;
  for (;;) {
    await wait(liveness.periodMs, undefined, { signal, ref: false });
    const { pid } = replica;
    const isAlive = await respondsAlive(replica, liveness.timeoutMs);
    // A process that has never responded is starting: another probe watches it.
    if (isAlive || pid !== probed) {
      failures = 0;
      if (isAlive) probed = pid;
      continue;
    }
    failures += 1;
    if (failures < liveness.failures || replica.pid !== pid) continue;
    log(`${replica.name} does not respond to its liveness probe: it is ended`);
    replica.signal('SIGTERM');
    for (const deadline = Date.now() + graceMs; replica.pid === pid && Date.now() < deadline; ) {
      await wait(100, undefined, { signal, ref: false });
    }
    if (replica.pid === pid) replica.signal('SIGKILL');
    probed = undefined;
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
