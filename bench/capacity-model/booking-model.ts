import type { CpuTime } from '../measurement/cpu-time.ts';
import { type MeasuredLoad, mapValues } from './measured-load.ts';
import type { MachineModel, Route, Station, Step } from './simulation.ts';

/** What one booking costs, without what the processes use when there is no load. */
export interface BookingModel {
  /** Milliseconds of CPU time by process, as measured with few clients. */
  cpuMs: CpuTime;
  /** The part of the CPU time of book, payment and their databases that is spent before the response. */
  requestShare: number;
  flushMs: number;
  /** Waits for the next batch until mypage shows the booking. */
  batchingMs: number;
}

/** Where a booking's steps are executed. */
export type Stations = (process: string) => Station;

/** Processes that work only before the response. */
const REQUEST_ONLY = ['the clients', 'router'];
/** Processes that work before and after it. */
const SHARED = ['book', 'payment', 'postgres: book', 'postgres: payment'];
/** Book's new booking, payment's approval, and book's booking that is paid: each response waits for three commits. */
const COMMITS_PER_REQUEST = 3;

/** From a load of one client, which shows latencies without queues, and one of few, which shows the CPU time. */
export function toBookingModel(
  idle: CpuTime,
  { single, few }: { single: MeasuredLoad; few: MeasuredLoad },
): BookingModel {
  const cpuMs = cpuPerBooking(idle, few);
  const sum = (names: readonly string[], of: CpuTime) =>
    names.reduce((total, name) => total + (of[name] ?? 0), 0);
  const alone = cpuPerBooking(idle, single);
  const flushes = COMMITS_PER_REQUEST * single.flushMs;
  const { request, visible } = single.bookings;
  const inShared = request.p50 - flushes - sum(REQUEST_ONLY, alone);
  const requestShare = Math.min(0.95, Math.max(0.2, inShared / sum(SHARED, alone)));
  const afterwardsMs =
    sum(Object.keys(alone), alone) - sum(REQUEST_ONLY, alone) - requestShare * sum(SHARED, alone);
  return {
    cpuMs,
    requestShare,
    flushMs: few.flushMs,
    batchingMs: Math.max(0, visible.p50 - request.p50 - afterwardsMs),
  };
}

/** Milliseconds of CPU time by process. */
export function cpuPerBooking(idle: CpuTime, { cpu, bookings }: MeasuredLoad): CpuTime {
  const { 'all other programs': _others, ...own } = cpu;
  return mapValues(own, (ms, name) =>
    Math.max(0, (ms - (idle[name] ?? 0) * bookings.seconds) / bookings.confirmed),
  );
}

/** The steps of a booking, in the order of docs/architecture/booking-lifecycle.md. */
export function toRoute(
  { cpuMs, requestShare, flushMs, batchingMs }: BookingModel,
  stations: Stations,
): Route {
  const at = (process: string, share: number): Step => ({
    station: stations(process),
    cpuMs: (cpuMs[process] ?? 0) * share,
  });
  const flush: Step = { waitMs: flushMs };
  const during = (process: string, part: number) => at(process, requestShare * part);
  const after = (process: string, part = 1) => at(process, (1 - requestShare) * part);
  return {
    request: [
      at('the clients', 1 / 2),
      at('router', 1 / 2),
      during('book', 1 / 3),
      during('postgres: book', 1 / 2),
      flush,
      during('book', 1 / 3),
      during('payment', 1 / 2),
      during('postgres: payment', 1),
      flush,
      during('payment', 1 / 2),
      during('postgres: book', 1 / 2),
      flush,
      during('book', 1 / 3),
      at('router', 1 / 2),
      at('the clients', 1 / 2),
    ],
    afterwards: [
      after('payment'),
      after('postgres: payment'),
      after('book', 1 / 2),
      after('postgres: book', 1 / 2),
      { waitMs: batchingMs / 2 },
      at('postgres: queue', 1 / 2),
      at('space', 1),
      at('postgres: space', 1),
      flush,
      at('postgres: the rest', 1),
      { waitMs: batchingMs / 2 },
      at('postgres: queue', 1 / 2),
      after('book', 1 / 2),
      after('postgres: book', 1 / 2),
      flush,
      at('mypage', 1),
    ],
  };
}

/** All processes on one machine, as they were measured; a database has a process for each connection. */
export function onOneMachine(cores: number): Stations {
  const machine: MachineModel = { name: 'this machine', cores };
  return stationsBy((process) => ({
    name: process,
    machine,
    processes: process.startsWith('postgres: ') ? Number.POSITIVE_INFINITY : 1,
  }));
}

/** One station for each process name. */
export function stationsBy(create: (process: string) => Station): Stations {
  const stations = new Map<string, Station>();
  return (process) => {
    const station = stations.get(process) ?? create(process);
    stations.set(process, station);
    return station;
  };
}
