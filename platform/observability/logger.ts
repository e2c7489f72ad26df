import { type Logger, type LoggerOptions, pino } from 'pino';
import { knownCorrelation } from './correlation.ts';
import { redactor } from './redaction.ts';

export type { Logger };

/**
 * JSON lines on stdout, each with the service's name and the correlation id at hand. The `secrets`,
 * and whatever else looks like a credential, are blanked wherever in a line they stand.
 */
export function createLogger(
  service: string,
  level: string,
  secrets: readonly string[] = [],
): Logger {
  // Lines are written in the background, in order; what is left is written as the process ends.
  const stdout = pino.destination({ dest: 1, sync: false });
  process.on('exit', () => {
    try {
      stdout.flushSync();
    } catch {
      // Nothing was ever written.
    }
  });
  const options: LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['authorization', '*.authorization', 'token', '*.token'],
    mixin: () => {
      const known = knownCorrelation();
      if (!known) return {};
      const { id, clientId } = known;
      return { correlationId: id, ...(clientId && { clientCorrelationId: clientId }) };
    },
    hooks: { streamWrite: redactor(secrets) },
  };
  return pino(options, stdout);
}
