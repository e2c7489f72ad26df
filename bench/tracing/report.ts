import type { Cost } from './variant.ts';

/** What each round measured, by variant. */
export type Rounds = Record<string, Cost[]>;

const KINDS = [
  ['bookingMs', 'a booking, to its last event'],
  ['readMs', 'a page of mypage'],
] as const;

/** The medians of each variant, and its ratio to the first one within each round. */
export function toReport(rounds: Rounds): string {
  const [[baseline, ofBaseline], ...others] = Object.entries(rounds) as [
    [string, Cost[]],
    ...[string, Cost[]][],
  ];
  const lines = KINDS.flatMap(([kind, title]) => {
    const valuesOf = (costs: Cost[]) => costs.map((cost) => cost[kind]);
    const base = valuesOf(ofBaseline);
    const line = (name: string, costs: Cost[], ratios?: number[]) => {
      const ms = `${quantile(valuesOf(costs), 0.5).toFixed(2)} ms`;
      if (!ratios) return `  ${name.padEnd(22)}${ms}`;
      const [low, middle, high] = [0.25, 0.5, 0.75].map((share) =>
        percent(quantile(ratios, share)),
      );
      return `  ${name.padEnd(22)}${ms.padEnd(12)}${middle} (half of the rounds: ${low} to ${high})`;
    };
    return [
      '',
      `CPU time of all services for ${title}:`,
      line(baseline, ofBaseline),
      ...others.map(([name, costs]) =>
        line(
          name,
          costs,
          valuesOf(costs).map((value, round) => value / (base[round] as number)),
        ),
      ),
    ];
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
