import type { RunResult } from './run.ts';
import type { Profile } from './system/chaos-system.ts';
import type { Kind } from './truth/invariants.ts';

export interface FinishedRun extends RunResult {
  profile: Profile;
  number: number;
  /** Where data and logs of a failing run are. */
  kept?: string;
}

const KINDS: readonly Kind[] = ['lost', 'doubled', 'unexpected'];

export function lineOf(run: FinishedRun, runs: number): string {
  const { ok, refused, unknown } = run.answers;
  const faults = countedNames(run.hits);
  const found = countKinds(run);
  return [
    `${run.violations.length === 0 ? 'ok  ' : 'FAIL'} ${run.profile} ${run.number}/${runs}`,
    `seed ${run.seed}`,
    faults || 'no fault hit',
    `${run.bookings} bookings (${ok} ok, ${refused} refused, ${unknown} unknown)`,
    KINDS.map((kind) => `${kind} ${found[kind]}`).join(', '),
    `${run.seconds.toFixed(1)} s`,
  ].join(' | ');
}

/** What a failing run found, and how to see it again. */
export function failureOf(run: FinishedRun, options: { seconds: number; only?: string }): string {
  const violations = run.violations.map(
    ({ invariant, kind, culprit, detail }) =>
      `  ${kind}: ${invariant}: ${[culprit, detail].filter(Boolean).join(' ')}`,
  );
  const only = options.only ? ` --only ${options.only}` : '';
  const again = `--seed ${run.seed} --runs 1 --profile ${run.profile} --seconds ${options.seconds}`;
  return [
    ...violations,
    '  The faults were:',
    ...run.told.map((each) => `    ${each}`),
    `  Data and logs are in ${run.kept}`,
    `  Again: npm run test:faults -- ${again}${only}`,
  ].join('\n');
}

export interface Totals {
  runs: number;
  failed: number;
  bookings: number;
  answers: RunResult['answers'];
  lost: number;
  doubled: number;
  unexpected: number;
  /** How often each kind of fault hit something. */
  hits: Record<string, number>;
  seconds: number;
}

export function totalsOf(runs: readonly FinishedRun[]): Totals {
  const sum = (of: (run: FinishedRun) => number) => runs.reduce((total, run) => total + of(run), 0);
  const hits: Record<string, number> = {};
  for (const name of runs.flatMap((run) => run.hits)) hits[name] = (hits[name] ?? 0) + 1;
  return {
    runs: runs.length,
    failed: runs.filter(({ violations }) => violations.length > 0).length,
    bookings: sum((run) => run.bookings),
    answers: {
      ok: sum((run) => run.answers.ok),
      refused: sum((run) => run.answers.refused),
      unknown: sum((run) => run.answers.unknown),
    },
    lost: sum((run) => countKinds(run).lost),
    doubled: sum((run) => countKinds(run).doubled),
    unexpected: sum((run) => countKinds(run).unexpected),
    hits,
    seconds: sum((run) => run.seconds),
  };
}

export function reportOf(totals: Totals): string {
  const names = Object.entries(totals.hits).sort(([, a], [, b]) => b - a);
  const { ok, refused, unknown } = totals.answers;
  return [
    '',
    'How often each fault hit:',
    ...names.map(([name, count]) => `  ${name.padEnd(24)}${String(count).padStart(5)}`),
    '',
    `${totals.runs} runs in ${totals.seconds.toFixed(0)} s, ${totals.failed} failed; ` +
      `${totals.bookings} bookings acknowledged; ${ok} answers ok, ${refused} refused, ` +
      `${unknown} unknown.`,
    `lost ${totals.lost}, doubled ${totals.doubled}, unexpected ${totals.unexpected}`,
  ].join('\n');
}

function countKinds(run: RunResult): Record<Kind, number> {
  const count = { lost: 0, doubled: 0, unexpected: 0 };
  for (const { kind } of run.violations) count[kind] += 1;
  return count;
}

function countedNames(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${name} ×${count}` : name)).join(', ');
}
