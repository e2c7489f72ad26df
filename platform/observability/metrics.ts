import { createHash, timingSafeEqual } from 'node:crypto';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { processMetrics } from './process-metrics.ts';

export type Metrics = Registry;

/** The metrics of a service, which it serves at `GET /metrics` in the Prometheus text format. */
export function createMetrics(service: string): Metrics {
  const metrics = new Registry();
  metrics.setDefaultLabels({ service });
  collectDefaultMetrics({ register: metrics });
  processMetrics(metrics);
  return metrics;
}

const connections = new WeakMap<Metrics, Map<string, () => boolean | Promise<boolean>>>();

/**
 * Adds an optional server to the gauge `spacerent_connected{to}`: 1 when it is connected, else 0.
 * `isConnected` is called for every scrape.
 */
export function showConnection(
  metrics: Metrics,
  to: string,
  isConnected: () => boolean | Promise<boolean>,
): void {
  const checks = connections.get(metrics) ?? new Map();
  checks.set(to, isConnected);
  if (connections.has(metrics)) return;
  connections.set(metrics, checks);
  new Gauge({
    name: 'spacerent_connected',
    help: 'Whether the service is connected to an optional server: queue, notifications, counters. Per process.',
    labelNames: ['to'],
    registers: [metrics],
    async collect() {
      await Promise.all(
        [...checks].map(async ([to, isConnected]) =>
          this.set({ to }, (await isConnected()) ? 1 : 0),
        ),
      );
    },
  });
}

export const METRICS_PATH = '/metrics';

/** Makes the check whether an `Authorization` header contains the token for reading the metrics. */
export function metricsTokenCheck(token: string | undefined) {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = token && digest(`Bearer ${token}`);
  return (authorization = ''): boolean =>
    // Digests have one length, as timingSafeEqual requires; its time reveals nothing of the token.
    Boolean(expected) && timingSafeEqual(digest(authorization), expected as Buffer);
}
