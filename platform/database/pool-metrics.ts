import { Gauge } from 'prom-client';
import type { Metrics } from '../observability/metrics.ts';
import type { Database } from './postgres.ts';

/** Gauges of the pools of connections to a database, as they are when the metrics are read. */
export function poolMetrics({ requests, workers }: Database, metrics: Metrics): void {
  const pools = Object.entries({ requests, workers });
  const registers = [metrics];
  new Gauge({
    name: 'spacerent_database_connections',
    help: 'Connections of a pool that are busy, or idle. Per process.',
    labelNames: ['pool', 'state'],
    registers,
    collect() {
      for (const [pool, { totalCount, idleCount }] of pools) {
        this.set({ pool, state: 'busy' }, totalCount - idleCount);
        this.set({ pool, state: 'idle' }, idleCount);
      }
    },
  });
  new Gauge({
    name: 'spacerent_database_max_connections',
    help: 'The number of connections that a pool may have. Per process.',
    labelNames: ['pool'],
    registers,
    collect() {
      for (const [pool, { options }] of pools) this.set({ pool }, options.max);
    },
  });
  new Gauge({
    name: 'spacerent_database_waiting',
    help: 'Statements and transactions that wait for a connection of a pool. Per process.',
    labelNames: ['pool'],
    registers,
    collect() {
      for (const [pool, { waitingCount }] of pools) this.set({ pool }, waitingCount);
    },
  });
}
