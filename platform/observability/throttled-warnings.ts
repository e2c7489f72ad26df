import type { Logger } from './logger.ts';

const WARN_EVERY_MS = 5_000;

/** Logs a source's errors as warnings, at most one in 5 s, and how many it suppressed since. */
export function throttledWarnings(logger: Logger, message: string, fields: object = {}) {
  let suppressedUntil = 0;
  let suppressed = 0;
  return (error: unknown): void => {
    if (Date.now() < suppressedUntil) {
      suppressed += 1;
      return;
    }
    logger.warn({ err: error, ...fields, ...(suppressed > 0 && { suppressed }) }, message);
    suppressedUntil = Date.now() + WARN_EVERY_MS;
    suppressed = 0;
  };
}
