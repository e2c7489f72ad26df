import { setTimeout as wait } from 'node:timers/promises';
import type { ServiceName } from '../../../supervisor/src/services.ts';
import type { Replica } from '../replicas/replica.ts';
import type { ReplicatedSystem } from '../replicas/replicated-system.ts';
import { UPGRADE_ORDER } from '../upgrade/steps.ts';

/** The time, by performance.now(), in which the replicas of a service were replaced. */
export interface Replacement {
  round: string;
  service: ServiceName;
  from: number;
  to: number;
}

export interface ReplacementDeps {
  system: ReplicatedSystem;
  /** From its next start on, the replica runs this version. */
  upgrade(replica: string): void;
  /** How many of each service. */
  replicas: number;
  /** Time without replacements before and after those of a service. */
  restMs: number;
  log(line: string): void;
  signal: AbortSignal;
}

/** Called with the service whose replicas are replaced from now on, and with undefined afterwards. */
type OnService = (service: ServiceName | undefined) => void;

/**
 * Replaces `replicas` of every service in the documented order of an upgrade, the next one only when HAProxy sends
 * requests to the one before it.
 */
export async function replaceRound(
  deps: ReplacementDeps,
  round: string,
  onService: OnService,
): Promise<Replacement[]> {
  const { system, replicas, restMs, log } = deps;
  const replacements: Replacement[] = [];
  await wait(restMs);
  for (const service of UPGRADE_ORDER) {
    const from = performance.now();
    onService(service);
    for (const replica of system.replicas[service].slice(0, replicas)) await replace(deps, replica);
    onService(undefined);
    replacements.push({ round, service, from, to: performance.now() });
    log(`${round}: ${service} is replaced`);
    await wait(restMs);
  }
  return replacements;
}

async function replace(
  { system, upgrade, signal }: ReplacementDeps,
  replica: Replica,
): Promise<void> {
  signal.throwIfAborted();
  await replica.stop();
  upgrade(replica.name);
  await system.start(replica, signal);
}
