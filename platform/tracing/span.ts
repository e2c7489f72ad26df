import type { Attributes, SpanContext } from '@opentelemetry/api';
import { RandomIdGenerator } from '@opentelemetry/sdk-trace';
import { TailTrace } from './tail-keeper.ts';

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** The part of a trace that is in this process: one span, the local root, and what follows from it. */
export class LocalTrace extends TailTrace<Span> {
  readonly id: string;
  /** Whether its spans are exported whatever becomes of them. */
  readonly isSampled: boolean;
  /** What turns `performance.now()` into milliseconds of the epoch. */
  readonly epochOffsetMs = Date.now() - performance.now();

  constructor(id: string, isSampled: boolean) {
    super();
    this.id = id;
    this.isSampled = isSampled;
  }
}

interface SpanStart {
  name: string;
  kind: SpanKind;
  trace: LocalTrace;
  parent: Span | SpanContext | undefined;
  links: readonly (SpanContext | undefined)[];
  attributes: Attributes | undefined;
  /** Without it a random one, once it is read. */
  spanId: string | undefined;
  elapsedMs: number;
  onEnd: (span: Span) => void;
}

const ids = new RandomIdGenerator();

/**
 * What is recorded of a span. Most spans are never exported, so that each is a few plain fields, and becomes a span of
 * OpenTelemetry when it is.
 */
export class Span {
  name: string;
  readonly kind: SpanKind;
  readonly trace: LocalTrace;
  readonly parent: Span | SpanContext | undefined;
  readonly links: SpanStart['links'];
  /** Later ones replace earlier ones of the same name. */
  readonly attributes: Attributes[];
  /** On the clock of `performance.now()`. */
  readonly startedAtMs: number;
  /** Undefined until it ends. */
  durationMs: number | undefined = undefined;
  isFailed = false;
  #spanId: string | undefined;
  readonly #onEnd: SpanStart['onEnd'];

  constructor(start: SpanStart) {
    this.name = start.name;
    this.kind = start.kind;
    this.trace = start.trace;
    this.parent = start.parent;
    this.links = start.links;
    this.attributes = start.attributes ? [start.attributes] : [];
    this.startedAtMs = performance.now() - start.elapsedMs;
    this.#spanId = start.spanId;
    this.#onEnd = start.onEnd;
  }

  get spanId(): string {
    this.#spanId ??= ids.generateSpanId();
    return this.#spanId;
  }

  spanContext(): SpanContext {
    const { id: traceId, isSampled } = this.trace;
    return { traceId, spanId: this.spanId, traceFlags: isSampled ? 1 : 0 };
  }

  /** Attributes after its end are ignored. */
  setAttributes(attributes: Attributes): void {
    if (this.durationMs === undefined) this.attributes.push(attributes);
  }

  /** Marks it as failed, so that its trace is exported. */
  fail(type: string): void {
    if (this.durationMs !== undefined) return;
    this.isFailed = true;
    this.setAttributes({ 'error.type': type });
  }

  /** The second end of a span is ignored. */
  end(): void {
    if (this.durationMs !== undefined) return;
    this.durationMs = performance.now() - this.startedAtMs;
    this.#onEnd(this);
  }
}

/** The id of a trace that begins in this process. */
export function newTraceId(): string {
  return ids.generateTraceId();
}
