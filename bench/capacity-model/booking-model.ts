import { type CpuTime, OTHER_PROGRAMS } from '../measurement/cpu-time.ts';
import { type MeasuredLoad, mapValues } from './measured-load.ts';
import type { MachineModel, Route, Station, Step } from './simulation.ts';

/** What one booking costs. */
export interface BookingModel {
  /** Milliseconds of CPU time by process. */
  cpuMs: CpuTime;
  /** The part of the CPU time of book, payment and their databases that is spent before the response. */
  requestShare: number;
  flushMs: number;
  /** Waits for the network and for other processes until the response. */
  requestWaitMs: number;
  /** Waits for the next batch until mypage shows the booking. */
  batchingMs: number;
}

/** Where a booking's steps are executed. */
export type Stations = (process: string) => Station;

/** Processes that work only before the response. */
const REQUEST_ONLY = ['the clients', 'router'];
/** Processes that work before and after it. */
const SHARED = ['book', 'payment', 'postgres: book', 'postgres: payment'];
/** What book's and payment's relays, acknowledgements and consumers leave of the CPU time of their processes. */
const MAX_REQUEST_SHARE = 0.8;
/** Book's new booking, payment's approval, and book's booking that is paid: each response waits for three commits. */
const COMMITS_PER_REQUEST = 3;

/**
 * From the loads of one client and of a few: a process works a part of each second whatever the load is, because it
 * polls and works in batches, and the rest for each booking. `fixedMs` is the former, in milliseconds a second of all
 * processes.
 */
export function toBookingModel(
  single: MeasuredLoad,
  few: MeasuredLoad,
): { model: BookingModel; fixedMs: number } {
  const rate = (load: MeasuredLoad) => load.bookings.confirmedPerSecond;
  const perSecond = (load: MeasuredLoad, name: string) =>
    (load.cpu[name] ?? 0) / load.bookings.seconds;
  const cpuMs = mapValues(ownCpu(few), (_ms, name) => {
    const added = perSecond(few, name) - perSecond(single, name);
    return Math.max(0, added / (rate(few) - rate(single)));
  });
  const fixedMs = Object.entries(cpuMs).reduce(
    (sum, [name, ms]) => sum + perSecond(few, name) - ms * rate(few),
    0,
  );
  const sum = (names: readonly string[]) =>
    names.reduce((total, name) => total + (cpuMs[name] ?? 0), 0);
  const { request, visible } = single.bookings;
  const waitsAndShared = request.p50 - COMMITS_PER_REQUEST * single.flushMs - sum(REQUEST_ONLY);
  const requestShare = Math.min(
    MAX_REQUEST_SHARE,
    Math.max(0, waitsAndShared) / Math.max(1, sum(SHARED)),
  );
  const afterwardsMs =
    sum(Object.keys(cpuMs)) - sum(REQUEST_ONLY) - requestShare * sum(SHARED) + 2 * single.flushMs;
  const model = {
    cpuMs,
    requestShare,
    flushMs: few.flushMs,
    requestWaitMs: Math.max(0, waitsAndShared - requestShare * sum(SHARED)),
    batchingMs: Math.max(0, visible.p50 - request.p50 - afterwardsMs),
  };
  return { model, fixedMs };
}

/** Milliseconds of CPU time for each booking, by process; what it works whatever the load is included. */
export function cpuPerBooking(load: MeasuredLoad): CpuTime {
  return mapValues(ownCpu(load), (ms) => ms / load.bookings.confirmed);
}

function ownCpu({ cpu }: MeasuredLoad): CpuTime {
  const { [OTHER_PROGRAMS]: _others, ...own } = cpu;
  return own;
}

/** The steps of a booking, in the order of docs/architecture/booking-lifecycle.md. */
export function toRoute(
  { cpuMs, requestShare, flushMs, requestWaitMs, batchingMs }: BookingModel,
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
      { waitMs: requestWaitMs },
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
