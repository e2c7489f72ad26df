import { Counter, Gauge } from 'prom-client';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Metrics } from './metrics.ts';

/** A slow database must not delay the scrape. */
const READ_TIMEOUT_MS = 1_000;
/** However often the metrics are read, the database is read once in this time. */
const CACHE_MS = 2_000;

/** One value of a gauge, and its labels. */
export interface Sample<Label extends string = never> {
  labels?: Record<Label, string>;
  value: number;
}

interface GaugeText<Label extends string> {
  name: string;
  help: string;
  labelNames?: Label[];
}

/** One gauge of several that are computed from the same rows. */
export interface GaugeOfRows<Rows, Label extends string = string> extends GaugeText<Label> {
  toSamples: (rows: Rows) => readonly Sample<Label>[];
}

/** A gauge that is read from a database; see {@link databaseGauges}. */
export function databaseGauge<Label extends string = never>(
  metrics: Metrics,
  gauge: GaugeText<Label>,
  read: () => Promise<readonly Sample<Label>[]>,
): void {
  databaseGauges(metrics, read, [{ ...gauge, toSamples: (samples) => samples }]);
}

/**
 * Gauges that are read from a database when the metrics are, at most once in two seconds and one read at a time.
 * While the database does not respond within a second they have no samples; all other metrics are served.
 */
export function databaseGauges<Rows, Label extends string>(
  metrics: Metrics,
  read: () => Promise<Rows>,
  gauges: readonly GaugeOfRows<Rows, Label>[],
): void {
  const [first] = gauges;
  const failures = readFailures(metrics);
  const gauge = first?.name ?? '';
  // A series that begins at 1 has no increase.
  failures.inc({ gauge }, 0);
  const readCached = cached(read, () => failures.inc({ gauge }));
  for (const { name, help, labelNames = [], toSamples } of gauges) {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [metrics],
      async collect() {
        const rows = await withTimeout(READ_TIMEOUT_MS, name, readCached()).catch(() => undefined);
        this.reset();
        // Without labels a reset sets the value 0, which would be wrong.
        if (labelNames.length === 0) this.remove();
        if (rows === undefined) return;
        for (const { labels, value } of toSamples(rows)) {
          this.set({ ...labels } as Record<Label, string>, value);
        }
      },
    });
  }
}

/**
 * Shares one read among all callers until it is old; resolves with undefined where it failed. A read that does
 * not end is not repeated: else each scrape would take another connection of the pool.
 */
function cached<Rows>(
  read: () => Promise<Rows>,
  onFailure: () => void,
): () => Promise<Rows | undefined> {
  let reading: Promise<Rows | undefined> | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let isRunning = false;

  async function readOnce(): Promise<Rows | undefined> {
    isRunning = true;
    const late = setTimeout(onFailure, READ_TIMEOUT_MS);
    try {
      return await read();
    } catch {
      if (performance.now() - readAt < READ_TIMEOUT_MS) onFailure();
      return undefined;
    } finally {
      clearTimeout(late);
      readAt = performance.now();
      isRunning = false;
    }
  }

  return () => {
    if (!isRunning && performance.now() - readAt >= CACHE_MS) {
      readAt = performance.now();
      reading = readOnce();
    }
    return reading as Promise<Rows | undefined>;
  };
}

function readFailures(metrics: Metrics): Counter<'gauge'> {
  const name = 'spacerent_gauge_read_failures_total';
  const existing = metrics.getSingleMetric(name);
  if (existing) return existing as Counter<'gauge'>;
  return new Counter({
    name,
    help: 'Reads of gauges from the database that failed or took longer than a second. Per process.',
    labelNames: ['gauge'],
    registers: [metrics],
  });
}
