import { createHash, timingSafeEqual } from 'node:crypto';
import { collectDefaultMetrics, Registry } from 'prom-client';

export type Metrics = Registry;

/** The numbers that a service tells at `GET /metrics`, in the Prometheus text format. */
export function createMetrics(service: string): Metrics {
  const metrics = new Registry();
  metrics.setDefaultLabels({ service });
  collectDefaultMetrics({ register: metrics });
  return metrics;
}

export const METRICS_PATH = '/metrics';

/** Whether an `Authorization` header holds the token that lets a scraper read the metrics. */
export function metricsReader(token: string | undefined) {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = token && digest(`Bearer ${token}`);
  return (authorization = ''): boolean =>
    // Digests are of one length, and compared in a time that tells nothing.
    Boolean(expected) && timingSafeEqual(digest(authorization), expected as Buffer);
}
