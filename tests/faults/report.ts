import type { ViolationKind } from './invariants/invariant.ts';
import type { RunResult } from './run.ts';
import type { Profile } from './system/chaos-system.ts';

export interface FinishedRun extends RunResult {
  profile: Profile;
  number: number;
  /** The folder with the data and logs of a failed run. */
  keptIn?: string;
}

const KINDS: readonly ViolationKind[] = ['lost', 'duplicated', 'unexpected'];

/** One line for a finished run. */
export function formatRun(run: FinishedRun, runCount: number): string {
  const { ok, refused, unknown } = run.outcomes;
  const faults = formatCounts(run.hits);
  const found = countKinds(run);
  return [
    `${run.violations.length === 0 ? 'ok  ' : 'FAIL'} ${run.profile} ${run.number}/${runCount}`,
    `seed ${run.seed}`,
    faults || 'no fault had an effect',
    `${run.bookings} bookings, ${run.changes} changes (responses: ${ok} ok, ${refused} refused, ${unknown} unknown)`,
    KINDS.map((kind) => `${kind} ${found[kind]}`).join(', '),
    `${run.seconds.toFixed(1)} s`,
  ].join(' | ');
}

/** The violations of a failed run, its faults, and the command that repeats it. */
export function formatFailure(
  run: FinishedRun,
  options: { seconds: number; only?: string },
): string {
  const violations = run.violations.map(
    ({ invariant, kind, subject, detail }) =>
      `  ${kind}: ${invariant}: ${[subject, detail].filter(Boolean).join(' ')}`,
  );
  const only = options.only ? ` --only ${options.only}` : '';
  const repeat = `--seed ${run.seed} --runs 1 --profile ${run.profile} --seconds ${options.seconds}`;
  return [
    ...violations,
    '  Faults:',
    ...run.faults.map((fault) => `    ${fault}`),
    `  Data and logs: ${run.keptIn}`,
    `  Repeat: npm run test:faults -- ${repeat}${only}`,
  ].join('\n');
}

export interface Totals {
  runs: number;
  failed: number;
  bookings: number;
  changes: number;
  outcomes: RunResult['outcomes'];
  lost: number;
  duplicated: number;
  unexpected: number;
  /** How often each fault had an effect. */
  hits: Record<string, number>;
  seconds: number;
}

export function sumUp(runs: readonly FinishedRun[]): Totals {
  const sum = (read: (run: FinishedRun) => number) =>
    runs.reduce((total, run) => total + read(run), 0);
  const hits: Record<string, number> = {};
  for (const name of runs.flatMap((run) => run.hits)) hits[name] = (hits[name] ?? 0) + 1;
  return {
    runs: runs.length,
    failed: runs.filter(({ violations }) => violations.length > 0).length,
    bookings: sum((run) => run.bookings),
    changes: sum((run) => run.changes),
    outcomes: {
      ok: sum((run) => run.outcomes.ok),
      refused: sum((run) => run.outcomes.refused),
      unknown: sum((run) => run.outcomes.unknown),
    },
    lost: sum((run) => countKinds(run).lost),
    duplicated: sum((run) => countKinds(run).duplicated),
    unexpected: sum((run) => countKinds(run).unexpected),
    hits,
    seconds: sum((run) => run.seconds),
  };
}

export function formatTotals(totals: Totals): string {
  const names = Object.entries(totals.hits).sort(([, a], [, b]) => b - a);
  const { ok, refused, unknown } = totals.outcomes;
  return [
    '',
    'How often each fault had an effect:',
    ...names.map(([name, count]) => `  ${name.padEnd(24)}${String(count).padStart(5)}`),
    '',
    `${totals.runs} runs in ${totals.seconds.toFixed(0)} s, ${totals.failed} failed; ` +
      `${totals.bookings} bookings, ${totals.changes} changes; responses: ${ok} ok, ${refused} refused, ${unknown} unknown.`,
    `lost ${totals.lost}, duplicated ${totals.duplicated}, unexpected ${totals.unexpected}`,
  ].join('\n');
}

function countKinds(run: RunResult): Record<ViolationKind, number> {
  const counts = { lost: 0, duplicated: 0, unexpected: 0 };
  for (const { kind } of run.violations) counts[kind] += 1;
  return counts;
}

function formatCounts(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${name} ×${count}` : name)).join(', ');
}
