import { processCpuMs } from '../../../bench/measurement/cpu-time.ts';
import type { Replica } from '../replicas/replica.ts';
import type { ReplicatedSystem } from '../replicas/replicated-system.ts';

const PROCESSED = 'spacerent_events_processed_total';

/** What a replica has done since it started. */
export interface Work {
  requests: number;
  /** Events that it consumed. */
  events: number;
  cpuMs: number;
}

/** The work of each running replica, by name. */
export async function readWork(system: ReplicatedSystem): Promise<Map<string, Work>> {
  const counters = await system.haproxy.counters();
  const running = Object.values(system.replicas)
    .flat()
    .filter(({ pid }) => pid !== undefined);
  const entries = running.map(async (replica): Promise<[string, Work]> => {
    const requests = counters.find(({ server }) => server === replica.name)?.requests ?? 0;
    const events = await countEvents(replica, system.metricsToken);
    return [replica.name, { requests, events, cpuMs: processCpuMs(replica.pid as number) }];
  });
  return new Map(await Promise.all(entries));
}

/** From `GET /metrics`, in Prometheus' text format: the sum over all labels. */
async function countEvents({ url }: Replica, token: string): Promise<number> {
  const response = await fetch(`${url}/metrics`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url}/metrics responds with ${response.status}.`);
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${PROCESSED}{`) || line.startsWith(`${PROCESSED} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
