import type { Cost } from './variant.ts';

/** What each round measured, by variant. */
export type Rounds = Record<string, Cost[]>;

const KINDS = [
  ['bookingMs', 'a booking, to its last event'],
  ['readMs', 'a page of mypage'],
] as const;

/** The medians of each variant, and its ratio to the one before it within each round. */
export function toReport(rounds: Rounds): string {
  const entries = Object.entries(rounds);
  const lines = KINDS.flatMap(([kind, title]) => {
    const valuesOf = (costs: Cost[]) => costs.map((cost) => cost[kind]);
    const toLine = ([name, costs]: [string, Cost[]], index: number) => {
      const values = valuesOf(costs);
      const ms = `${quantile(values, 0.5).toFixed(2)} ms`;
      const previous = entries[index - 1];
      if (!previous) return `  ${name.padEnd(22)}${ms}`;
      const base = valuesOf(previous[1]);
      const ratios = values.map((value, round) => value / (base[round] as number));
      const [low, middle, high] = [0.25, 0.5, 0.75].map((share) =>
        percent(quantile(ratios, share)),
      );
      return `  ${name.padEnd(22)}${ms.padEnd(12)}${middle} (half of the rounds: ${low} to ${high})`;
    };
    return ['', `CPU time of all services for ${title}:`, ...entries.map(toLine)];
  });
  return lines.join('\n');
}

function percent(ratio: number): string {
  const change = (ratio - 1) * 100;
  return `${change < 0 ? '' : '+'}${change.toFixed(1)} %`;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
}
