import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

/** What connects the log lines, calls and events of one request. */
export interface Correlation {
  /** Of the system's own making; it is stored in events and audit entries. */
  id: string;
  /** What the client calls its request; it is logged with ours, and stored nowhere. */
  clientId?: string | undefined;
}

const current = new AsyncLocalStorage<Correlation>();

export const CORRELATION_HEADER = 'x-correlation-id';

/** Runs `work` so that all it logs, calls and publishes carries the correlation id. */
export function withCorrelation<T>(correlation: string | Correlation, work: () => T): T {
  return current.run(typeof correlation === 'string' ? { id: correlation } : correlation, work);
}

/** Runs `work` under the correlation id of what is being handled; outside of any, under a new one. */
export function correlated<T>(work: () => T): T {
  return current.getStore() === undefined ? withCorrelation(randomUUID(), work) : work();
}

/** The correlation id of what is being handled; outside of any, a new one. */
export function correlationId(): string {
  return current.getStore()?.id ?? randomUUID();
}

/** What is being handled; undefined outside of any request and event. */
export function knownCorrelation(): Correlation | undefined {
  return current.getStore();
}

/**
 * Of a call between services: its id goes on when it is harmless to log and forward (1 to 64 letters,
 * digits, `.`, `_`, `-`), and is replaced by a new one otherwise.
 */
export function inheritedCorrelation(offered: unknown): Correlation {
  return { id: isHarmless(offered) ? offered : randomUUID() };
}

/**
 * Of a client's request: an id of our own, which no client can choose. The client's is kept for the log
 * when it has 8 to 64 letters, digits, `.`, `_` and `-`.
 */
export function newCorrelation(offered: unknown): Correlation {
  const clientId = isHarmless(offered) && offered.length >= 8 ? offered : undefined;
  return { id: randomUUID(), clientId };
}

function isHarmless(offered: unknown): offered is string {
  return typeof offered === 'string' && /^[\w.-]{1,64}$/.test(offered);
}
