import { type CpuTime, OTHER_PROGRAMS } from '../measurement/cpu-time.ts';
import type { Latencies } from '../measurement/latencies.ts';
import type { Machine } from '../measurement/machine.ts';
import type { WrittenRows } from '../measurement/written-rows.ts';
import { type BookingResults, CONFIRMATION_TIMEOUT_MS } from './booking-load.ts';
import type { LimitResults } from './limit/measure-limit.ts';
import type { Options } from './options.ts';
import type { ReadingResults } from './reading-load.ts';

/** What was measured with this many bookings stored. */
export interface Round {
  stored: number;
  bookings?: BookingResults;
  /** For each confirmed booking, in milliseconds. */
  cpuPerBooking?: CpuTime;
  usedByOthers?: number;
  /** For each booking. */
  written?: WrittenRows;
  reading?: ReadingResults;
}

export interface Results {
  startedAt: string;
  options: Options;
  machine: Machine;
  empty: Round;
  limit?: LimitResults;
  cpuPerLimitBooking?: CpuTime;
  /** While the limit was measured. */
  usedByOthers?: number;
  full?: Round;
  ratios: Ratios;
  failures: string[];
}

export interface Ratios {
  bookingsToLimit?: number;
  fullToEmpty?: number;
  /** The ratio of the rates if CPU time were the only limit and no other program used any. */
  bookingsToLimitByCpu?: number;
  fullToEmptyByCpu?: number;
}

const AIM_TO_LIMIT = 0.15;
const AIM_FULL_TO_EMPTY = 0.9;
/** Above this relative difference in inserted rows, the limit's SQL counts as another load. */
const MAX_ROW_DIFFERENCE = 0.1;
/** Above this share of CPU time used by others, the report warns that the results suffer. */
const MAX_SHARE_OF_OTHERS = 0.1;

export function toRatios({
  empty,
  full,
  limit,
  cpuPerLimitBooking,
}: Omit<Results, 'ratios'>): Ratios {
  const ratio = (part: number | undefined, whole: number | undefined) =>
    part === undefined || whole === undefined ? undefined : part / whole;
  const rate = (round: Round | undefined) => round?.bookings?.confirmedPerSecond;
  const ownCpu = (spent: CpuTime | undefined) =>
    spent &&
    Object.entries(spent)
      .filter(([name]) => name !== OTHER_PROGRAMS)
      .reduce((sum, [, ms]) => sum + ms, 0);
  return {
    bookingsToLimit: ratio(rate(empty), limit?.bookingsPerSecond),
    fullToEmpty: ratio(rate(full), rate(empty)),
    bookingsToLimitByCpu: ratio(ownCpu(cpuPerLimitBooking), ownCpu(empty.cpuPerBooking)),
    fullToEmptyByCpu: ratio(ownCpu(empty.cpuPerBooking), ownCpu(full?.cpuPerBooking)),
  };
}

/** The results as text. */
export function toReport(results: Results): string {
  const { empty, full, limit, ratios } = results;
  const rounds = full ? [empty, full] : [empty];
  const heads = rounds.map(({ stored }) => (stored === 0 ? 'empty' : `${stored} stored`));
  const per = (read: (round: Round) => string) => rounds.map(read);

  const lines = [
    '',
    row('', heads),
    row(
      'confirmed bookings per second',
      per(({ bookings }) => number(bookings?.confirmedPerSecond)),
    ),
    row(
      'requestBooking, ms (p50 / p95 / p99)',
      per(({ bookings }) => spread(bookings?.request)),
    ),
    row(
      'request → visible, ms (p50 / p95 / p99)',
      per(({ bookings }) => spread(bookings?.visible)),
    ),
    row(
      'myPage reads per second',
      per(({ reading }) => number(reading?.readsPerSecond)),
    ),
    row(
      'myPage read, ms (p50 / p95 / p99)',
      per(({ reading }) => spread(reading?.latency)),
    ),
    row('limit: bookings per second', [number(limit?.bookingsPerSecond)]),
    '',
    row('bookings / limit', [percent(ratios.bookingsToLimit, AIM_TO_LIMIT)]),
    row('full / empty', [percent(ratios.fullToEmpty, AIM_FULL_TO_EMPTY)]),
    row('bookings / limit, by their CPU time', [percent(ratios.bookingsToLimitByCpu)]),
    row('full / empty, by their CPU time', [percent(ratios.fullToEmptyByCpu)]),
    ...cpuTable(results, rounds, heads),
    ...writtenTable(results, rounds, heads),
    ...sentences(results, rounds),
  ];
  return lines.join('\n');
}

function cpuTable({ cpuPerLimitBooking }: Results, rounds: Round[], heads: string[]): string[] {
  const columns = [...rounds.map(({ cpuPerBooking }) => cpuPerBooking), cpuPerLimitBooking];
  const names = [...new Set(columns.flatMap((column) => Object.keys(column ?? {})))];
  if (names.length === 0) return [];
  const total = (column: CpuTime | undefined) =>
    column && Object.values(column).reduce((sum, ms) => sum + ms, 0);
  return [
    '',
    row('CPU time per booking, ms', [...heads, 'limit']),
    ...names.map((name) =>
      row(
        `  ${name}`,
        columns.map((column) => number(column?.[name], 2)),
      ),
    ),
    row(
      '  together',
      columns.map((column) => number(total(column), 2)),
    ),
  ];
}

function writtenTable({ limit }: Results, rounds: Round[], heads: string[]): string[] {
  const columns = [...rounds.map(({ written }) => written), limit?.written];
  if (columns.every((column) => column === undefined)) return [];
  const line = (name: string, key: keyof WrittenRows) =>
    row(
      `  ${name}`,
      columns.map((column) => number(column?.[key])),
    );
  return [
    '',
    row('In PostgreSQL per booking (queue left out)', [...heads, 'limit']),
    line('rows inserted', 'inserted'),
    line('rows updated', 'updated'),
    line('transactions', 'commits'),
    line('events redelivered', 'redelivered'),
  ];
}

function sentences({ limit, failures, usedByOthers }: Results, rounds: Round[]): string[] {
  const lines: string[] = [];
  const shares = [...rounds.map((round) => round.usedByOthers), usedByOthers];
  if (shares.some((part) => part !== undefined && part > MAX_SHARE_OF_OTHERS)) {
    const parts = shares.map((part) => (part === undefined ? '–' : `${(part * 100).toFixed(0)} %`));
    lines.push(
      `Other programs used part of the CPU (${parts.join(', ')} in the columns above): on a quiet machine`,
      'the rates are higher, and their ratios may differ.',
    );
  }
  for (const { bookings, reading } of rounds) {
    if (reading && reading.bookingsPerPage < 20) {
      lines.push(`A page of mypage showed ${reading.bookingsPerPage.toFixed(1)} bookings, not 20.`);
    }
    if (bookings && bookings.unconfirmed > 0) {
      lines.push(
        `${bookings.unconfirmed} of ${bookings.created} bookings were still not REGISTERED in mypage ` +
          `${CONFIRMATION_TIMEOUT_MS / 1_000} s after the end.`,
      );
    }
    for (const [outcome, count] of Object.entries(bookings?.otherResponses ?? {})) {
      lines.push(`${count} requests had another outcome: ${outcome}`);
    }
  }
  const written = rounds[0]?.written;
  if (written && limit) {
    // Inserted ones: rows are updated more often where events are redelivered.
    const differs = Math.abs(written.inserted / limit.written.inserted - 1) > MAX_ROW_DIFFERENCE;
    if (differs) {
      lines.push(
        'The limit inserts other rows than the system: bring bench/booking/limit/statements up to date.',
      );
    }
  }
  lines.push(...failures);
  return lines.length > 0 ? ['', ...lines] : [];
}

function row(name: string, cells: string[]): string {
  return `${name.padEnd(44)}${cells.map((cell) => cell.padStart(22)).join('')}`;
}

function number(value: number | undefined, digits = 1): string {
  return value === undefined ? '–' : value.toFixed(digits);
}

function spread(latencies: Latencies | undefined): string {
  if (!latencies) return '–';
  return [latencies.p50, latencies.p95, latencies.p99].map((ms) => ms.toFixed(0)).join(' / ');
}

function percent(ratio: number | undefined, aim?: number): string {
  if (ratio === undefined) return '–';
  const text = `${(ratio * 100).toFixed(1)} %`;
  if (aim === undefined) return text;
  return `${text} (${ratio >= aim ? '≥' : 'below'} ${aim * 100} %)`;
}
