import { type Logger, pino } from 'pino';
import { knownCorrelationId } from './correlation.ts';

export type { Logger };

/** JSON lines on stdout, each with the service's name and the correlation id at hand. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['authorization', '*.authorization', 'token', '*.token'],
    mixin: () => {
      const id = knownCorrelationId();
      return id ? { correlationId: id } : {};
    },
  });
}
