import { z } from 'zod';
import { grouped } from '../config/setting-groups.ts';
import { httpUrl, integer } from '../config/setting-schemas.ts';

/** Pairs as the environment of OpenTelemetry writes them: `name=value,…`, percent-encoded. */
const pairs = z.string().transform((text, { addIssue }) => {
  const entries = text.split(',').filter((pair) => pair.trim() !== '');
  const found: Record<string, string> = {};
  for (const entry of entries) {
    const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(entry) ?? [];
    const decoded = value === undefined ? undefined : decode(value);
    if (name === undefined || decoded === undefined) {
      addIssue('must be pairs as in name=value,name=value, with special characters encoded (%2C)');
      return z.NEVER;
    }
    found[name] = decoded;
  }
  return found;
});

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const NO_PROTOCOL =
  'must be http/json, the one protocol that is supported; collectors use port 4318';
const protocol = z.literal('http/json', { error: NO_PROTOCOL }).optional();

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** The traces of every service: OpenTelemetry's own variables, and what they have none for. */
export const tracingShape = grouped('traces', {
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl
    .optional()
    .describe(
      '`http://` or `https://` address of an OTLP collector, to which `/v1/traces` is added; traces are off ' +
        'unless this or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set.',
    ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl
    .optional()
    .describe('The same for traces alone, with its whole path; it takes precedence.'),
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol.describe('`http/json`; other values are refused.'),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol.describe('The same for traces alone.'),
  OTEL_EXPORTER_OTLP_HEADERS: pairs
    .optional()
    .describe('Headers of each export, such as a token, as in `name=value,name=value`; secret.'),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: pairs
    .optional()
    .describe('Headers of exports of traces, added to those above; secret.'),
  OTEL_TRACES_EXPORTER: z
    .enum(['otlp', 'none'], { error: 'must be otlp or none' })
    .default('otlp')
    .describe('`otlp`, or `none`, which switches traces off.'),
  OTEL_SDK_DISABLED: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['true', 'false'], { error: 'must be true or false' }))
    .default('false')
    .describe('`true` switches traces off.'),
  OTEL_SERVICE_NAME: z
    .string()
    .optional()
    .describe('Name of the service in its traces; without it `router`, `book` and so on.'),
  OTEL_RESOURCE_ATTRIBUTES: pairs
    .optional()
    .describe(
      'Attributes of all spans, as in `deployment.environment.name=production,region=seoul`.',
    ),
  OTEL_TRACES_SAMPLER: z
    .enum(samplers, { error: `must be one of ${samplers.join(', ')}` })
    .default('parentbased_always_on')
    .describe(
      'Which traces are exported, besides failed and slow ones: `parentbased_traceidratio` for a share of them.',
    ),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number('must be a number from 0 to 1')
    .min(0, 'must be at least 0')
    .max(1, 'must be at most 1')
    .default(1)
    .describe('Share of the traces that is exported, from 0 to 1, where the sampler has a ratio.'),
  OTEL_BSP_MAX_QUEUE_SIZE: integer(1, 1_000_000)
    .default(2_048)
    .describe('Maximum spans that wait for their export in one process; more are dropped.'),
  OTEL_BSP_SCHEDULE_DELAY: integer(1, 60_000)
    .default(5_000)
    .describe('Maximum milliseconds for which a span waits for others before its export.'),
  TRACE_SLOW_MS: integer(0, 3_600_000)
    .default(1_000)
    .describe(
      'Milliseconds after which the part of a trace in one process is slow and always exported.',
    ),
});

export type TracingSettings = z.infer<z.ZodObject<typeof tracingShape>>;

/** Where traces go; undefined: they are off. */
export function tracesEndpoint(settings: TracingSettings): string | undefined {
  const isOff = settings.OTEL_SDK_DISABLED === 'true' || settings.OTEL_TRACES_EXPORTER === 'none';
  if (isOff) return undefined;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base } = settings;
  const all = base && `${base.replace(/\/$/, '')}/v1/traces`;
  return settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? all;
}
