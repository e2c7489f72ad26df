import { Counter, Gauge, Histogram } from 'prom-client';
import { CLIENT_CODES } from '#platform/graphql/errors.ts';
import { createMetrics, type Metrics } from '#platform/observability/metrics.ts';

/** What became of an operation. */
export type Outcome = 'ok' | 'error' | 'refused' | 'limited' | 'unauthenticated';

export type Protocol = 'http' | 'sse' | 'multipart' | 'websocket';

/** An operation that was answered, or a subscription that began. */
export interface ObservedOperation {
  kind: 'query' | 'mutation' | 'subscription' | 'unread';
  /** Its name in a valid document; null: it has none. */
  name: string | null;
  protocol: Protocol;
  outcome: Outcome;
}

export interface RouterMetrics {
  registry: Metrics;
  observe(operation: ObservedOperation, seconds: number): void;
  observeSubgraph(subgraph: string, outcome: 'ok' | 'error' | 'unavailable', seconds: number): void;
  /** Reads what is open whenever the metrics are read. */
  watchOpen(open: { subscriptions: () => number; webSockets: () => number }): void;
}

/** Clients choose names: so many have series of their own, all others share one. */
const MAX_NAMES = 200;
const MAX_NAME_LENGTH = 64;
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function routerMetrics(): RouterMetrics {
  const registry = createMetrics('router');
  const registers = [registry];
  const names = new Set<string>();
  const total = new Counter({
    name: 'spacerent_router_operations_total',
    help: 'Operations that were answered, and subscriptions that began',
    labelNames: ['kind', 'protocol', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'spacerent_router_operation_seconds',
    help: 'Time to the answer, or to the beginning of a subscription, by operation name',
    labelNames: ['operation', 'kind', 'outcome'],
    buckets: SECONDS,
    registers,
  });
  const subgraphSeconds = new Histogram({
    name: 'spacerent_router_subgraph_seconds',
    help: 'Time that a subgraph took for a request of the router',
    labelNames: ['subgraph', 'outcome'],
    buckets: SECONDS,
    registers,
  });

  function labelOf(name: string | null): string {
    if (name === null) return 'anonymous';
    if (names.has(name)) return name;
    if (names.size >= MAX_NAMES || name.length > MAX_NAME_LENGTH) return 'other';
    names.add(name);
    return name;
  }

  return {
    registry,
    observe({ kind, name, protocol, outcome }, took) {
      total.inc({ kind, protocol, outcome });
      // What was not read has no name that could be believed.
      const operation = kind === 'unread' ? 'unread' : labelOf(name);
      seconds.observe({ operation, kind, outcome }, took);
    },
    observeSubgraph(subgraph, outcome, took) {
      subgraphSeconds.observe({ subgraph, outcome }, took);
    },
    watchOpen({ subscriptions, webSockets }) {
      gauge('spacerent_router_subscriptions_open', 'Subscriptions that are open', subscriptions);
      gauge('spacerent_router_websockets_open', 'WebSockets that are open', webSockets);
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

/** Of the codes that clients see, those that say that the system failed, and not that it declined. */
const FAILED = new Set(['SERVICE_UNAVAILABLE', 'REQUEST_TIMEOUT']);
const LIMITED = new Set(['RATE_LIMITED', 'TOO_MANY_SUBSCRIPTIONS']);

/** The outcome by the codes of the errors; an error without a code is a failure. */
export function outcomeOf(
  errors: readonly { readonly extensions?: { readonly code?: unknown } | undefined }[] = [],
): Outcome {
  if (errors.length === 0) return 'ok';
  const codes = errors.map(({ extensions }) => String(extensions?.code ?? 'INTERNAL_SERVER_ERROR'));
  if (codes.some((code) => FAILED.has(code) || !CLIENT_CODES.has(code))) return 'error';
  if (codes.some((code) => LIMITED.has(code))) return 'limited';
  return codes.includes('UNAUTHENTICATED') ? 'unauthenticated' : 'refused';
}

/** The name as a log shows it; GraphQL's own rules leave letters, digits and `_` in it. */
export function loggedName(name: string | null): string | undefined {
  return name?.slice(0, MAX_NAME_LENGTH);
}
