import type { Machine } from '../measurement/machine.ts';
import type { BookingModel } from './booking-model.ts';
import type { MeasuredLoad } from './measured-load.ts';
import type { Options } from './options.ts';
import type { SimulatedResults } from './simulation.ts';
import { maxPerSecond, type Size } from './sizes.ts';

/** The relative difference between simulated and measured throughput up to which sizes are worth printing. */
export const MAX_DIFFERENCE = 0.2;
const LARGE_SERVER_CORES = 32;
const CONTEXTS = ['book', 'payment', 'space', 'mypage'];

export interface Results {
  startedAt: string;
  options: Options;
  machine: Machine;
  loads: MeasuredLoad[];
  model: BookingModel;
  /** The model with the CPU time of the highest load, of which the sizes are. */
  atLoad: BookingModel;
  /** The cores of the machine that other programs and the fixed work of the processes left. */
  cores: number;
  simulated: SimulatedResults;
  /** (simulated − measured) / measured, of the throughput. */
  difference: number;
  /** Empty when the model does not reproduce the measured throughput. */
  sizes: Size[];
}

/** The results as text. */
export function toReport(results: Results): string {
  const { sizes } = results;
  const lines = [...costs(results), '', ...comparison(results)];
  if (sizes.length === 0) {
    lines.push(
      `The difference is above ${MAX_DIFFERENCE * 100} %: sizes would be guesses. Close other programs and try again.`,
    );
    return lines.join('\n');
  }
  return [...lines, '', ...sizeTable(results)].join('\n');
}

function costs({ loads, atLoad: model }: Results): string[] {
  const many = loads[2] as MeasuredLoad;
  const { rows, storedBytes, walBytes, processBytes } = many.perCreated;
  const sum = Object.values(model.cpuMs).reduce((total, ms) => total + ms, 0);
  const kb = (bytes: number | undefined) => (bytes === undefined ? '–' : (bytes / 1e3).toFixed(1));
  const ms = (name: string) => (model.cpuMs[name] ?? 0).toFixed(2);
  const count = (name: string, key: 'inserted' | 'updated' | 'commits') =>
    rows[name]?.[key].toFixed(1) ?? '–';
  const line = (name: string, database?: string) => [
    name,
    ms(name),
    database ? ms(`postgres: ${database}`) : '–',
    database ? count(database, 'inserted') : '–',
    database ? count(database, 'updated') : '–',
    database ? count(database, 'commits') : '–',
    kb(storedBytes[name]),
    kb(processBytes[name]),
  ];
  const heads = ['CPU ms', 'database ms', 'inserted', 'updated', 'commits', 'stored kB', 'I/O kB'];
  return [
    `One booking, with ${many.clients} clients:`,
    row(['', ...heads]),
    row(line('router')),
    ...CONTEXTS.map((name) => row(line(name, name === 'mypage' ? undefined : name))),
    row(['queue', '–', ...line('queue', 'queue').slice(2, 6), '–', '–']),
    `All processes: ${sum.toFixed(1)} ms of CPU time, the clients' ${ms('the clients')} ms included; PostgreSQL's log: ${kb(walBytes)} kB.`,
  ];
}

function comparison({ loads, simulated, difference, cores }: Results): string[] {
  const measured = (loads[2] as MeasuredLoad).bookings;
  const line = (name: string, perSecond: number, p50: number, p99: number, visible: number) =>
    row([name, perSecond.toFixed(1), p50.toFixed(0), p99.toFixed(0), visible.toFixed(0)]);
  return [
    `${(loads[2] as MeasuredLoad).clients} clients on the ${cores.toFixed(2)} cores that other programs and the processes' fixed work leave:`,
    row(['', 'bookings/s', 'request p50', 'p99', 'visible p50']),
    line(
      'measured',
      measured.confirmedPerSecond,
      measured.request.p50,
      measured.request.p99,
      measured.visible.p50,
    ),
    line(
      'simulated',
      simulated.perSecond,
      simulated.request.p50,
      simulated.request.p99,
      simulated.visible.p50,
    ),
    `The simulated throughput differs by ${(difference * 100).toFixed(1)} % (aim: within ${MAX_DIFFERENCE * 100} %).`,
  ];
}

function sizeTable({ sizes, options, atLoad }: Results): string[] {
  const line = (name: string, read: (size: Size) => string) => row([name, ...sizes.map(read)]);
  const first = sizes[0] as Size;
  return [
    `Sizes, in cores of this machine, for a peak of ${options.peak} times the average:`,
    line('bookings a year', ({ bookingsPerYear }) => bookingsPerYear.toExponential(0)),
    line('bookings/s at the peak', ({ peakPerSecond }) => peakPerSecond.toFixed(1)),
    ...Object.keys(first.replicas).map((name) =>
      line(`${name}, replicas`, ({ replicas }) => String(replicas[name])),
    ),
    ...Object.keys(first.cores).map((name) =>
      line(`${name}, cores`, ({ cores }) => String(cores[name])),
    ),
    ...Object.keys(first.storedGbPerYear).map((name) =>
      line(`${name}, GB a year`, ({ storedGbPerYear }) => (storedGbPerYear[name] ?? 0).toFixed(1)),
    ),
    line('log of PostgreSQL, MB/s', ({ walMbPerSecond }) => walMbPerSecond.toFixed(1)),
    line('services I/O, MB/s', ({ serviceMbPerSecond }) => serviceMbPerSecond.toFixed(1)),
    line(
      'request p50 / p99, ms',
      ({ simulated: { request } }) => `${request.p50.toFixed(0)} / ${request.p99.toFixed(0)}`,
    ),
    line('busiest part at the peak', ({ simulated: { utilization } }) => {
      const [name, share] = Object.entries(utilization).sort(([, a], [, b]) => b - a)[0] ?? ['', 0];
      return `${name.replace('postgres: ', 'db ')} ${(share * 100).toFixed(0)} %`;
    }),
    `One server with ${LARGE_SERVER_CORES} such cores, half of them busy, is enough for ` +
      `${maxPerSecond(atLoad, 'postgres: book', LARGE_SERVER_CORES).toFixed(0)} bookings per second of book.`,
  ];
}

function row([name, ...cells]: string[]): string {
  return `${(name ?? '').padEnd(32)}${cells.map((cell) => ` ${cell}`.padStart(13)).join('')}`;
}
