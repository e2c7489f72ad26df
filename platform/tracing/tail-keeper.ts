/**
 * Decides which traces are exported although their sampling says no: those in which something failed or was slow.
 * Spans wait in memory until the first span of their trace in this process, its local root, ends.
 */
export interface TailKeeper<Span extends object> {
  /** `parent`: the span of this process in which it started; without it, it is a local root. */
  started(span: Span, parent: Span | undefined): void;
  ended(span: Span): void;
}

interface LocalTrace<Span> {
  root: Span;
  /** Those that have ended before the root. */
  spans: Span[];
  hasNotable: boolean;
  /** Of the root; undefined until it ends. */
  isKept?: boolean;
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
export function tailKeeper<Span extends object>(
  rules: { isFailed: (span: Span) => boolean; isSlow: (span: Span) => boolean },
  limits: TailLimits,
  keep: (spans: readonly Span[]) => void,
  drop: (spans: number) => void,
): TailKeeper<Span> {
  const traces = new WeakMap<Span, LocalTrace<Span>>();
  /** Those with spans that wait, oldest first. */
  const waiting = new Set<LocalTrace<Span>>();
  let count = 0;

  /** Work that the root did not wait for. */
  function endedLate(span: Span, isKept: boolean): void {
    if (isKept || rules.isFailed(span) || rules.isSlow(span)) keep([span]);
  }

  function wait(span: Span, trace: LocalTrace<Span>): void {
    if (trace.spans.length >= limits.maxSpansPerTrace) {
      drop(1);
      return;
    }
    const [oldest] = waiting;
    if (count >= limits.maxSpans && oldest) drop(takeAll(oldest).length);
    trace.spans.push(span);
    waiting.add(trace);
    count += 1;
  }

  function takeAll(trace: LocalTrace<Span>): Span[] {
    waiting.delete(trace);
    count -= trace.spans.length;
    return trace.spans.splice(0);
  }

  return {
    started(span, parent) {
      const ofParent = parent && traces.get(parent);
      traces.set(span, ofParent ?? { root: span, spans: [], hasNotable: false });
    },

    ended(span) {
      const trace = traces.get(span);
      if (!trace) return;
      if (trace.isKept !== undefined) return endedLate(span, trace.isKept);
      if (rules.isFailed(span)) trace.hasNotable = true;
      if (span !== trace.root) return wait(span, trace);
      const spans = takeAll(trace);
      trace.isKept = trace.hasNotable || rules.isSlow(span);
      if (trace.isKept) keep([...spans, span]);
    },
  };
}
