import { REQUIRED, render } from '../../deploy/helm.ts';
import { find } from '../../deploy/kubernetes-object.ts';

/** A probe of the chart, in Kubernetes' terms. */
export interface Probe {
  periodMs: number;
  timeoutMs: number;
  failures: number;
  successes: number;
}

/** What the chart says about the processes of a service. */
export interface ChartProbes {
  startup: Probe;
  readiness: Probe;
  liveness: Probe;
  /** From SIGTERM to SIGKILL. */
  graceMs: number;
}

/** The probes that the chart renders with its default values; every service has the same. */
export async function readProbes(drainSeconds: number): Promise<ChartProbes> {
  const objects = await render(['-f', REQUIRED, '--set', `settings.DRAIN_SECONDS=${drainSeconds}`]);
  const { template } = find(objects, 'Deployment', 'rent-book').spec;
  const [container] = template.spec.containers;
  return {
    startup: toProbe(container.startupProbe),
    readiness: toProbe(container.readinessProbe),
    liveness: toProbe(container.livenessProbe),
    graceMs: template.spec.terminationGracePeriodSeconds * 1_000,
  };
}

/** The same, for a run that cannot wait: half the failures in a quarter of the time. */
export function hasten({ startup, readiness, liveness, graceMs }: ChartProbes): ChartProbes {
  const faster = (probe: Probe): Probe => ({
    ...probe,
    periodMs: probe.periodMs / 4,
    failures: Math.ceil(probe.failures / 2),
  });
  return {
    startup,
    readiness: faster(readiness),
    liveness: faster(liveness),
    graceMs: graceMs / 4,
  };
}

/** What a probe leaves out is Kubernetes' default. */
function toProbe(probe: {
  periodSeconds?: number;
  timeoutSeconds?: number;
  failureThreshold?: number;
  successThreshold?: number;
}): Probe {
  return {
    periodMs: (probe.periodSeconds ?? 10) * 1_000,
    timeoutMs: (probe.timeoutSeconds ?? 1) * 1_000,
    failures: probe.failureThreshold ?? 3,
    successes: probe.successThreshold ?? 1,
  };
}
