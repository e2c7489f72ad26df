import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

const current = new AsyncLocalStorage<string>();

export const CORRELATION_HEADER = 'x-correlation-id';

/** Runs `work` so that all it logs, calls and publishes carries the correlation id. */
export function withCorrelation<T>(id: string, work: () => T): T {
  return current.run(id, work);
}

/** Runs `work` under the correlation id of what is being handled; outside of any, under a new one. */
export function correlated<T>(work: () => T): T {
  return current.getStore() === undefined ? current.run(randomUUID(), work) : work();
}

/** The correlation id of what is being handled; outside of any, a new one. */
export function correlationId(): string {
  return current.getStore() ?? randomUUID();
}

/** As {@link correlationId}, but undefined outside of any. */
export function knownCorrelationId(): string | undefined {
  return current.getStore();
}

/**
 * A caller's correlation id when it is harmless to log and forward (1 to 64 letters, digits,
 * `.`, `_`, `-`), and a new one otherwise.
 */
export function acceptCorrelationId(offered: unknown): string {
  return typeof offered === 'string' && /^[\w.-]{1,64}$/.test(offered) ? offered : randomUUID();
}
