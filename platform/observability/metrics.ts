import { createHash, timingSafeEqual } from 'node:crypto';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { within } from '../messaging/queue-server.ts';

export type Metrics = Registry;

/** The numbers that a service tells at `GET /metrics`, in the Prometheus text format. */
export function createMetrics(service: string): Metrics {
  const metrics = new Registry();
  metrics.setDefaultLabels({ service });
  collectDefaultMetrics({ register: metrics });
  return metrics;
}

const connections = new WeakMap<Metrics, Map<string, () => boolean | Promise<boolean>>>();

/**
 * Shows in the gauge `spacerent_connected{to}` whether a server that the service can do without is
 * connected: 1 or 0. `isConnected` is called for every scrape.
 */
export function showConnection(
  metrics: Metrics,
  to: string,
  isConnected: () => boolean | Promise<boolean>,
): void {
  const shown = connections.get(metrics) ?? new Map();
  shown.set(to, isConnected);
  if (connections.has(metrics)) return;
  connections.set(metrics, shown);
  new Gauge({
    name: 'spacerent_connected',
    help: 'Whether the service is connected to what it can do without: queue, notifications, counters',
    labelNames: ['to'],
    registers: [metrics],
    async collect() {
      await Promise.all(
        [...shown].map(async ([to, isConnected]) =>
          this.set({ to }, (await isConnected()) ? 1 : 0),
        ),
      );
    },
  });
}

/** A database that takes longer does not hold up the scrape. */
const READ_MS = 1_000;

/** One value of a gauge, and its labels. */
export interface Sample<Label extends string = never> {
  labels?: Record<Label, string>;
  value: number;
}

/**
 * A gauge that is read from a database for every scrape. While the database does not respond within
 * a second it has no samples, and all other metrics are shown.
 */
export function databaseGauge<Label extends string = never>(
  metrics: Metrics,
  { name, help, labelNames = [] }: { name: string; help: string; labelNames?: Label[] },
  read: () => Promise<readonly Sample<Label>[]>,
): void {
  new Gauge({
    name,
    help,
    labelNames,
    registers: [metrics],
    async collect() {
      const samples = await within(READ_MS, name, read()).catch(() => []);
      this.reset();
      // Without labels a reset leaves a 0, which would be a value.
      if (labelNames.length === 0) this.remove();
      for (const { labels, value } of samples)
        this.set({ ...labels } as Record<Label, string>, value);
    },
  });
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
