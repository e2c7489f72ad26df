import { type Logger, type LoggerOptions, pino } from 'pino';
import { currentCorrelation } from './correlation.ts';
import { redactor } from './redaction.ts';

export type { Logger };

/** Of lines that cannot be written now: more of them are dropped. */
const MAX_WAITING_CHARACTERS = 8_000_000;

/**
 * JSON lines on stdout, each with the service's name, the current correlation id and, where traces are on, the ids of
 * the active span under the names that OpenTelemetry gives them. The `secrets`, and
 * anything else that looks like a credential, are redacted anywhere in a line.
 */
export function createLogger(
  service: string,
  level: string,
  secrets: readonly string[] = [],
): Logger {
  // Lines are written in the background, in order; the rest is written when the process exits.
  const stdout = pino.destination({ dest: 1, sync: false, maxLength: MAX_WAITING_CHARACTERS });
  const options: LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['authorization', '*.authorization', 'token', '*.token'],
    mixin: () => {
      const current = currentCorrelation();
      if (!current) return {};
      const { id, clientId, span } = current;
      return {
        correlationId: id,
        ...(clientId && { clientCorrelationId: clientId }),
        ...(span && { trace_id: span.trace.id, span_id: span.spanId }),
      };
    },
    hooks: { streamWrite: redactor(secrets) },
  };
  const logger = pino(options, stdout);
  goOnWithoutLog(stdout, logger);
  return logger;
}

/**
 * A full disk, on which the log is, neither ends the process nor keeps it from ending: lines wait for space, and
 * dropped ones are counted.
 */
function goOnWithoutLog(stdout: ReturnType<typeof pino.destination>, logger: Logger): void {
  let isFailing = false;
  let dropped = 0;
  // Without a listener it would be an uncaught exception. The next line is the next attempt.
  stdout.on('error', () => {
    isFailing = true;
  });
  stdout.on('write', () => {
    isFailing = false;
  });
  stdout.on('drop', () => {
    dropped += 1;
  });
  stdout.on('drain', () => {
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    logger.warn({ lines }, 'log lines are missing before this one: they could not be written');
  });
  // Before pino's own listener: a flush waits until there is space.
  process.prependListener('exit', () => {
    if (isFailing) return void stdout.destroy();
    try {
      stdout.flushSync();
    } catch {
      // Throws when nothing was ever logged.
    }
  });
}
