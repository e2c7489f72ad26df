import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  type Span as ApiSpan,
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  createAlwaysRecordSampler,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type TracerProviderOptions,
} from '@opentelemetry/sdk-trace';
import { projectVersion } from '../config/project.ts';
import type { Logger } from '../observability/logger.ts';
import type { SpanCounts } from './span-counts.ts';
import { spanExport } from './span-export.ts';
import { tailSampling } from './tail-sampling.ts';
import { type StartSpan, useTracer } from './tracing.ts';
import type { TracingSettings } from './tracing-settings.ts';

type Resource = NonNullable<TracerProviderOptions['resource']>;

/**
 * Sends spans to the collector at `endpoint` by OpenTelemetry's SDK. Its own tracer, not the global one: libraries with
 * spans of their own stay silent. Returns the function that ends it.
 */
export function openTelemetry(
  service: string,
  endpoint: string,
  settings: TracingSettings,
  counts: SpanCounts,
  logger: Logger,
): () => Promise<void> {
  const exporting = spanExport(endpoint, settings, counts, logger);
  const ids = requestIds();
  const provider = new TracerProvider({
    resource: resourceOf(service, settings),
    // What is not sampled is recorded all the same: it is exported when it fails or is slow.
    sampler: createAlwaysRecordSampler(headSampler(settings)),
    idGenerator: ids.generator,
    spanProcessors: [tailSampling(exporting, settings.TRACE_SLOW_MS, counts)],
    spanLimits: { attributeValueLengthLimit: 256 },
  });
  const tracer = provider.getTracer('spacerent', projectVersion());

  const start: StartSpan = (
    name,
    { kind = 'internal', attributes, parent, links, ids: own, startedAt },
  ) =>
    ids.using(own, () =>
      tracer.startSpan(
        name,
        {
          kind: KINDS[kind],
          ...(attributes && { attributes }),
          ...(links && { links: links.flatMap((context) => (context ? [{ context }] : [])) }),
          ...(startedAt !== undefined && { startTime: startedAt }),
        },
        contextOf(parent),
      ),
    );
  useTracer(start);
  return async () => {
    useTracer();
    await exporting.stop();
  };
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

function contextOf(parent: ApiSpan | SpanContext | undefined): Context {
  if (!parent) return ROOT_CONTEXT;
  return 'spanContext' in parent
    ? trace.setSpan(ROOT_CONTEXT, parent)
    : trace.setSpanContext(ROOT_CONTEXT, parent);
}

/** The generator of ids, which can be made to return given ones once. */
function requestIds() {
  const random = new RandomIdGenerator();
  let given: SpanContext | undefined;
  return {
    generator: {
      generateTraceId: () => given?.traceId ?? random.generateTraceId(),
      generateSpanId: () => given?.spanId ?? random.generateSpanId(),
    },
    using<T>(ids: SpanContext | undefined, work: () => T): T {
      given = ids;
      try {
        return work();
      } finally {
        given = undefined;
      }
    },
  };
}

/** The sampler that OTEL_TRACES_SAMPLER names. */
function headSampler({
  OTEL_TRACES_SAMPLER: name,
  OTEL_TRACES_SAMPLER_ARG: ratio,
}: TracingSettings): Sampler {
  if (name.endsWith('always_on') && !name.startsWith('parent')) return new AlwaysOnSampler();
  if (name === 'always_off') return new AlwaysOffSampler();
  if (name === 'traceidratio') return new TraceIdRatioBasedSampler(ratio);
  const roots = {
    parentbased_always_on: new AlwaysOnSampler(),
    parentbased_always_off: new AlwaysOffSampler(),
    parentbased_traceidratio: new TraceIdRatioBasedSampler(ratio),
  };
  return new ParentBasedSampler({ root: withLinks(roots[name as keyof typeof roots]) });
}

/** A trace of its own that continues an exported one, such as a batch, is exported too. */
function withLinks(sampler: Sampler): Sampler {
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      if (links.some((link) => link.context.traceFlags & TraceFlags.SAMPLED)) {
        return { decision: SamplingDecision.RECORD_AND_SAMPLED };
      }
      return sampler.shouldSample(context, traceId, name, kind, attributes, links);
    },
    toString: () => `withLinks(${sampler})`,
  };
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
