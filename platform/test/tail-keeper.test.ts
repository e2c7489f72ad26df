import { describe, expect, test } from '@jest/globals';
import { type TailLimits, TailTrace, tailKeeper } from '../tracing/tail-keeper.ts';

interface TestSpan {
  name: string;
  trace: TailTrace<TestSpan>;
  isFailed?: boolean;
  isSlow?: boolean;
}

const LIMITS = { maxSpans: 100, maxSpansPerTrace: 10 };

/** A keeper, what it has kept and how much it has dropped. */
function openKeeper(limits: TailLimits = LIMITS) {
  const kept: string[][] = [];
  const result = { kept, dropped: 0 };
  const keeper = tailKeeper<TestSpan>(
    { isFailed: (span) => span.isFailed === true, isSlow: (span) => span.isSlow === true },
    limits,
    (spans) => kept.push(spans.map(({ name }) => name)),
    (spans) => {
      result.dropped += spans;
    },
  );
  const start = (name: string, parent?: TestSpan): TestSpan => {
    const trace = parent?.trace ?? new TailTrace<TestSpan>();
    const span = { name, trace };
    trace.root ??= span;
    return span;
  };
  const end = (span: TestSpan, outcome: Pick<TestSpan, 'isFailed' | 'isSlow'> = {}) =>
    keeper.ended(Object.assign(span, outcome), span.trace);
  return { result, start, end };
}

describe('the keeper of traces that are not sampled', () => {
  test('a trace without a failure is dropped as a whole', () => {
    const { result, start, end } = openKeeper();
    const root = start('root');
    end(start('child', root));
    end(root);
    expect(result).toEqual({ kept: [], dropped: 0 });
  });

  test('a failed part keeps the whole trace, when its local root ends', () => {
    const { result, start, end } = openKeeper();
    const root = start('root');
    const child = start('child', root);
    end(start('grandchild', child), { isFailed: true });
    end(child);
    expect(result.kept).toEqual([]);
    end(root);
    expect(result.kept).toEqual([['grandchild', 'child', 'root']]);
  });

  test('a slow root keeps its trace, and a slow part of a fast one does not', () => {
    const { result, start, end } = openKeeper();
    const fast = start('fast');
    end(start('part', fast), { isSlow: true });
    end(fast);
    const slow = start('slow');
    end(slow, { isSlow: true });
    expect(result.kept).toEqual([['slow']]);
  });

  test('spans that end after their root follow it, and failed ones are kept in any case', () => {
    const { result, start, end } = openKeeper();
    const kept = start('kept');
    const afterKept = start('after kept', kept);
    end(kept, { isFailed: true });
    end(afterKept);
    const dropped = start('dropped');
    const [afterDropped, failed, slow] = ['after dropped', 'failed', 'slow'].map((name) =>
      start(name, dropped),
    ) as [TestSpan, TestSpan, TestSpan];
    end(dropped);
    end(afterDropped);
    end(failed, { isFailed: true });
    end(slow, { isSlow: true });
    expect(result.kept).toEqual([['kept'], ['after kept'], ['failed'], ['slow']]);
  });

  test('two local roots of one process are decided alone', () => {
    const { result, start, end } = openKeeper();
    const first = start('first');
    const second = start('second');
    end(first, { isFailed: true });
    end(second);
    expect(result.kept).toEqual([['first']]);
  });

  test('of one trace only so many spans wait, and the rest is counted', () => {
    const { result, start, end } = openKeeper({ maxSpans: 100, maxSpansPerTrace: 2 });
    const root = start('root');
    for (const name of ['a', 'b', 'c', 'd']) end(start(name, root));
    end(root, { isFailed: true });
    expect(result).toEqual({ kept: [['a', 'b', 'root']], dropped: 2 });
  });

  test('traces whose root never ends lose their spans to newer ones', () => {
    const { result, start, end } = openKeeper({ maxSpans: 2, maxSpansPerTrace: 10 });
    const lost = start('lost');
    end(start('a', lost));
    end(start('b', lost));
    const newer = start('newer');
    end(start('c', newer));
    end(newer, { isFailed: true });
    end(lost, { isFailed: true });
    expect(result).toEqual({ kept: [['c', 'newer'], ['lost']], dropped: 2 });
  });

  test('a million spans of roots that never end leave at most the limit', () => {
    const { result, start, end } = openKeeper({ maxSpans: 100, maxSpansPerTrace: 10 });
    for (let n = 0; n < 1_000_000; n += 1) end(start('part', start('root')));
    expect(result.dropped).toBe(1_000_000 - 100);
  });
});
