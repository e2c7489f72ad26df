/**
 * Decides which traces are exported although their sampling says no: those in which something failed or was slow.
 * Spans wait in memory until the first span of their trace in this process, its local root, ends.
 */
export interface TailKeeper<Span> {
  ended(span: Span, trace: TailTrace<Span>): void;
}

/** What the keeper knows of a trace. The trace's spans refer to it: a map by span would cost more than a span does. */
export class TailTrace<Span> {
  /** The local root, which the first span sets. */
  root: Span | undefined = undefined;
  /** Those that have ended before the root. */
  waiting: Span[] = [];
  hasNotable = false;
  /** Undefined until the root ends. */
  isKept: boolean | undefined = undefined;
}

export interface TailLimits {
  /** Spans that wait, of all traces. Above it those of the oldest trace are dropped. */
  maxSpans: number;
  /** Spans of one trace that wait; more are dropped. */
  maxSpansPerTrace: number;
}

/**
 * `isFailed`: whether a trace with this span is kept. `isSlow`: the same of a local root, and of a span that ends after
 * it. `keep` receives the spans of a trace when its root ends, and later ones alone. `drop` receives the number of spans
 * that exceeded a limit.
 */
export function tailKeeper<Span>(
  rules: { isFailed: (span: Span) => boolean; isSlow: (span: Span) => boolean },
  limits: TailLimits,
  keep: (spans: readonly Span[]) => void,
  drop: (spans: number) => void,
): TailKeeper<Span> {
  /** Those with spans that wait, oldest first. */
  const open = new Set<TailTrace<Span>>();
  let count = 0;

  /** Work that the root did not wait for. */
  function endedLate(span: Span, isKept: boolean): void {
    if (isKept || rules.isFailed(span) || rules.isSlow(span)) keep([span]);
  }

  function wait(span: Span, trace: TailTrace<Span>): void {
    if (trace.waiting.length >= limits.maxSpansPerTrace) {
      drop(1);
      return;
    }
    if (count >= limits.maxSpans) dropOldest();
    if (trace.waiting.length === 0) open.add(trace);
    trace.waiting.push(span);
    count += 1;
  }

  function dropOldest(): void {
    const [oldest] = open;
    if (oldest) drop(takeAll(oldest).length);
  }

  function takeAll(trace: TailTrace<Span>): Span[] {
    const { waiting } = trace;
    if (waiting.length === 0) return waiting;
    open.delete(trace);
    count -= waiting.length;
    trace.waiting = [];
    return waiting;
  }

  return {
    ended(span, trace) {
      if (trace.isKept !== undefined) return endedLate(span, trace.isKept);
      if (rules.isFailed(span)) trace.hasNotable = true;
      if (span !== trace.root) return wait(span, trace);
      const spans = takeAll(trace);
      trace.isKept = trace.hasNotable || rules.isSlow(span);
      if (trace.isKept) keep([...spans, span]);
    },
  };
}
