import { Counter, Gauge, Histogram } from 'prom-client';
import type { Outcome } from '#platform/graphql/outcome.ts';
import { createMetrics, type Metrics } from '#platform/observability/metrics.ts';

export type Protocol = 'http' | 'sse' | 'multipart' | 'websocket';

/** An operation that has completed, or a subscription that has started. */
export interface ObservedOperation {
  kind: 'query' | 'mutation' | 'subscription' | 'unread';
  /** The operation's name in a valid document; null for an anonymous one. */
  name: string | null;
  protocol: Protocol;
  outcome: Outcome;
}

export interface RouterMetrics {
  registry: Metrics;
  observe(operation: ObservedOperation, seconds: number): void;
  observeSubgraph(subgraph: string, outcome: 'ok' | 'error' | 'unavailable', seconds: number): void;
  /** Registers gauges, which call these functions whenever the metrics are read. */
  observeOpen(open: { subscriptions: () => number; webSockets: () => number }): void;
}

/** Operation names with a series of their own; all others share one, because clients choose names. */
const MAX_OPERATION_NAMES = 200;
const MAX_NAME_LENGTH = 64;
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function routerMetrics(): RouterMetrics {
  const registry = createMetrics('router');
  const registers = [registry];
  const names = new Set<string>();
  const total = new Counter({
    name: 'spacerent_router_operations_total',
    help: 'Operations that have completed, and subscriptions that have started. Per process.',
    labelNames: ['kind', 'protocol', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'spacerent_router_operation_seconds',
    help: 'Time to the response, or to the start of a subscription, by operation name (200 names, then other). Per process.',
    labelNames: ['operation', 'kind', 'outcome'],
    buckets: SECONDS,
    registers,
  });
  const subgraphSeconds = new Histogram({
    name: 'spacerent_router_subgraph_seconds',
    help: 'Response time of a subgraph for a request of the router. Per process.',
    labelNames: ['subgraph', 'outcome'],
    buckets: SECONDS,
    registers,
  });

  function operationLabel(name: string | null): string {
    if (name === null) return 'anonymous';
    if (names.has(name)) return name;
    if (names.size >= MAX_OPERATION_NAMES || name.length > MAX_NAME_LENGTH) return 'other';
    names.add(name);
    return name;
  }

  return {
    registry,
    observe({ kind, name, protocol, outcome }, durationSeconds) {
      total.inc({ kind, protocol, outcome });
      // A request that was not parsed has no valid name.
      const operation = kind === 'unread' ? 'unread' : operationLabel(name);
      seconds.observe({ operation, kind, outcome }, durationSeconds);
    },
    observeSubgraph(subgraph, outcome, durationSeconds) {
      subgraphSeconds.observe({ subgraph, outcome }, durationSeconds);
    },
    observeOpen({ subscriptions, webSockets }) {
      gauge(
        'spacerent_router_subscriptions_open',
        'Subscriptions that are open. Per process.',
        subscriptions,
      );
      gauge(
        'spacerent_router_websockets_open',
        'WebSockets that are open. Per process.',
        webSockets,
      );
    },
  };

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }
}

/** The name for a log line; by GraphQL's rules it has only letters, digits and `_`. */
export function toLoggedName(name: string | null): string | undefined {
  return name?.slice(0, MAX_NAME_LENGTH);
}
