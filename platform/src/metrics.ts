import { collectDefaultMetrics, Registry } from 'prom-client';

export type Metrics = Registry;

/** The numbers that a service tells at `GET /metrics`, in the Prometheus text format. */
export function createMetrics(service: string): Metrics {
  const metrics = new Registry();
  metrics.setDefaultLabels({ service });
  collectDefaultMetrics({ register: metrics });
  return metrics;
}
