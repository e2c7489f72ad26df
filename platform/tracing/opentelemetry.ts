import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Attributes, ROOT_CONTEXT, type SpanContext, TraceFlags } from '@opentelemetry/api';
import {
  type ReadableSpan,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { projectVersion } from '../config/project.ts';
import type { Logger } from '../observability/logger.ts';
import { type SpanOrigin, toReadableSpan } from './readable-span.ts';
import { LocalTrace, newTraceId, Span } from './span.ts';
import type { SpanCounts } from './span-counts.ts';
import { spanExport } from './span-export.ts';
import { tailSampling } from './tail-sampling.ts';
import { type StartSpan, useTracer } from './tracing.ts';
import type { TracingSettings } from './tracing-settings.ts';

type Resource = ReadableSpan['resource'];

const NO_LINKS: readonly SpanContext[] = [];

/**
 * Sends spans to the collector at `endpoint` by OpenTelemetry's exporter. Spans are recorded without its tracer, which
 * costs several times as much, and which libraries with spans of their own would use. Returns the function that ends it.
 */
export function openTelemetry(
  service: string,
  endpoint: string,
  settings: TracingSettings,
  counts: SpanCounts,
  logger: Logger,
): () => Promise<void> {
  const exporting = spanExport(endpoint, settings, counts, logger);
  const origin: SpanOrigin = {
    resource: resourceOf(service, settings),
    instrumentationScope: { name: 'spacerent', version: projectVersion() },
  };
  const onEnd = tailSampling(
    exporting,
    (span) => toReadableSpan(span, origin),
    settings.TRACE_SLOW_MS,
    counts,
  );
  const isSampled = headSampler(settings);

  const start: StartSpan = (name, options, parent, ids) => {
    const { kind = 'internal', links = NO_LINKS, attributes, elapsedMs = 0 } = options;
    const trace = parent instanceof Span ? parent.trace : openTrace(parent, links, ids);
    const spanId = ids?.spanId;
    const span = new Span({
      name,
      kind,
      trace,
      parent,
      links,
      attributes,
      spanId,
      elapsedMs,
      onEnd,
    });
    trace.root ??= span;
    return span;
  };

  function openTrace(
    parent: SpanContext | undefined,
    links: readonly (SpanContext | undefined)[],
    ids: SpanContext | undefined,
  ): LocalTrace {
    const id = (parent ?? ids)?.traceId ?? newTraceId();
    return new LocalTrace(id, isSampled(id, parent, links));
  }

  useTracer(start);
  return async () => {
    useTracer();
    await exporting.stop();
  };
}

/** Whether a trace that begins in this process, or continues in it, is exported in any case. */
type IsSampled = (
  traceId: string,
  parent: SpanContext | undefined,
  links: readonly (SpanContext | undefined)[],
) => boolean;

/** The sampler that OTEL_TRACES_SAMPLER names. */
function headSampler({
  OTEL_TRACES_SAMPLER: name,
  OTEL_TRACES_SAMPLER_ARG: ratio,
}: TracingSettings): IsSampled {
  const isOn = name.endsWith('always_on');
  const isOff = name.endsWith('always_off');
  const sampler = new TraceIdRatioBasedSampler(isOn ? 1 : isOff ? 0 : ratio);
  const isChosen = (traceId: string) =>
    sampler.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
  if (!name.startsWith('parentbased')) return isChosen;
  return (traceId, parent, links) => {
    if (parent) return isFlagged(parent);
    // A trace of its own that continues an exported one, such as a batch, is exported too.
    return links.some(isFlagged) || isChosen(traceId);
  };
}

function isFlagged(context: SpanContext | undefined): boolean {
  return context !== undefined && (context.traceFlags & TraceFlags.SAMPLED) !== 0;
}

function resourceOf(service: string, settings: TracingSettings): Resource {
  return resource({
    'service.namespace': 'spacerent',
    'service.version': projectVersion(),
    'service.instance.id': randomUUID(),
    'host.name': hostname(),
    'process.pid': process.pid,
    'telemetry.sdk.name': 'opentelemetry',
    'telemetry.sdk.language': 'nodejs',
    'service.name': service,
    ...settings.OTEL_RESOURCE_ATTRIBUTES,
    ...(settings.OTEL_SERVICE_NAME && { 'service.name': settings.OTEL_SERVICE_NAME }),
  });
}

/** The package that makes resources is the gateway's, in an older major version. */
function resource(attributes: Attributes): Resource {
  return {
    attributes,
    getRawAttributes: () => Object.entries(attributes),
    merge: (other) => resource({ ...attributes, ...other?.attributes }),
  };
}
