import type { FaultResult } from './measure-fault.ts';
import { LATE_MS, OPERATIONS } from './summary.ts';

const HEADERS = [
  ...['system', 'fault', 'process', 'failed', 'late', 'worked throughout'],
  ...['errors ended after', 'back after', 'by', 'work done after', 'invariants'],
];
const MAX_MESSAGES = 4;

/** The results as a Markdown table, and what there is to say about some of them. */
export function toReport(results: readonly FaultResult[]): string {
  const rows = results.map(toCells);
  const widths = HEADERS.map((header, index) =>
    Math.max(header.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const toLine = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
  const { requests, failed } = total(results);
  return [
    '',
    toLine(HEADERS),
    toLine(widths.map((width) => '-'.repeat(width))),
    ...rows.map(toLine),
    '',
    `Failed and late (more than ${LATE_MS / 1_000} s): requests that ended after the fault; the clients send none a second time.`,
    'Errors ended after: from the fault to the end of the last failed request. Back: what failed is ready again.',
    'Work done after: once the clients had stopped, until every booking, refund and event was finished.',
    '',
    ...results.flatMap(describe),
    `${requests} requests, ${failed} failed; ${findFailures(results).length} things went wrong.`,
    ...findFailures(results).map((failure) => `  ${failure}`),
  ].join('\n');
}

/** What went wrong: nothing where everything healed and no invariant is violated. */
export function findFailures(results: readonly FaultResult[]): string[] {
  return results.flatMap(({ system, what, target, wrong }) =>
    wrong.map((each) => `${system}, ${what}, ${target}: ${each}`),
  );
}

function toCells(result: FaultResult): string[] {
  const { failedForSeconds, repairedAfterSeconds, settledAfterSeconds, wrong } = result;
  const seconds = (value: number | undefined) =>
    value === undefined ? '–' : `${value.toFixed(1)} s`;
  return [
    result.system,
    result.what,
    result.target,
    `${result.failed} of ${result.requests}`,
    String(result.late),
    toWorking(result),
    seconds(failedForSeconds),
    seconds(repairedAfterSeconds),
    result.repairedBy,
    seconds(settledAfterSeconds),
    wrong.length === 0
      ? settledAfterSeconds === undefined
        ? 'data lost'
        : 'hold'
      : `${wrong.length} wrong`,
  ];
}

function toWorking({ working }: FaultResult): string {
  const all = Object.values(OPERATIONS);
  if (working.length === all.length) return 'everything';
  if (working.length === 0) return 'nothing';
  const others = all.filter((each) => !working.includes(each));
  return working.length > others.length ? `all but ${others.join(', ')}` : working.join(', ');
}

/** Which requests failed, and what else there is to say. */
function describe({ system, what, target, messages, notes, deferred }: FaultResult): string[] {
  const lines = [
    ...messages.slice(0, MAX_MESSAGES),
    ...(messages.length > MAX_MESSAGES
      ? [`and ${messages.length - MAX_MESSAGES} other messages`]
      : []),
    ...(deferred > 0
      ? [`${deferred} bookings accepted before the result of their payment was known`]
      : []),
    ...notes,
  ];
  if (lines.length === 0) return [];
  return [`${system}, ${what}, ${target}:`, ...lines.map((line) => `  ${line}`), ''];
}

function total(results: readonly FaultResult[]): { requests: number; failed: number } {
  return {
    requests: results.reduce((sum, { requests }) => sum + requests, 0),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
  };
}
