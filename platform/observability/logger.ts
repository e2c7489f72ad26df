import { type Logger, type LoggerOptions, pino } from 'pino';
import { currentCorrelation } from './correlation.ts';
import { redactor } from './redaction.ts';

export type { Logger };

/**
 * JSON lines on stdout, each with the service's name and the current correlation id. The `secrets`, and
 * anything else that looks like a credential, are redacted anywhere in a line.
 */
export function createLogger(
  service: string,
  level: string,
  secrets: readonly string[] = [],
): Logger {
  // Lines are written in the background, in order; the rest is written when the process exits.
  const stdout = pino.destination({ dest: 1, sync: false });
  process.on('exit', () => {
    try {
      stdout.flushSync();
    } catch {
      // Throws when nothing was ever logged.
    }
  });
  const options: LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['authorization', '*.authorization', 'token', '*.token'],
    mixin: () => {
      const current = currentCorrelation();
      if (!current) return {};
      const { id, clientId } = current;
      return { correlationId: id, ...(clientId && { clientCorrelationId: clientId }) };
    },
    hooks: { streamWrite: redactor(secrets) },
  };
  return pino(options, stdout);
}
