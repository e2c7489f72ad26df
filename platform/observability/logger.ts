import type { SpanContext } from '@opentelemetry/api';
import { type Logger, type LoggerOptions, pino } from 'pino';
import { currentCorrelation } from './correlation.ts';
import { redactor } from './redaction.ts';

export type { Logger };

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
      const { id, clientId, span } = current;
      return {
        correlationId: id,
        ...(clientId && { clientCorrelationId: clientId }),
        ...(span && traceIds(span.spanContext())),
      };
    },
    hooks: { streamWrite: redactor(secrets) },
  };
  return pino(options, stdout);
}

function traceIds({ traceId, spanId }: SpanContext) {
  return { trace_id: traceId, span_id: spanId };
}
