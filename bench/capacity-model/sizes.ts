import { type BookingModel, stationsBy, toRoute } from './booking-model.ts';
import type { MeasuredLoad } from './measured-load.ts';
import { type SimulatedResults, simulate } from './simulation.ts';

const YEAR_SECONDS = 365 * 86_400;
/** The busy share of replicas at the peak: one may end, and its load goes to the others. */
const MAX_REPLICA_UTILIZATION = 0.6;
/** A database also has reads, autovacuum and backups. */
const MAX_DATABASE_UTILIZATION = 0.5;
const MIN_REPLICAS = 2;
const SERVICES = ['router', 'book', 'payment', 'space', 'mypage'];
const DATABASES = ['postgres: book', 'postgres: payment', 'postgres: space', 'postgres: queue'];
const SIMULATED_SECONDS = 20;

/** What a number of bookings a year needs. */
export interface Size {
  bookingsPerYear: number;
  peakPerSecond: number;
  /** Processes by service, each with a core. */
  replicas: Record<string, number>;
  /** Cores by database. */
  cores: Record<string, number>;
  storedGbPerYear: Record<string, number>;
  walMbPerSecond: number;
  serviceMbPerSecond: number;
  /** At the peak, each service and database on machines of its own. */
  simulated: SimulatedResults;
}

/**
 * Sizes in units of the cores of the measured machine, for a peak of `peak` times the average. `measured` is what a
 * booking stores, reads and writes.
 */
export function toSize(
  bookingsPerYear: number,
  { peak, model, measured }: { peak: number; model: BookingModel; measured: MeasuredLoad },
): Size {
  const peakPerSecond = (bookingsPerYear / YEAR_SECONDS) * peak;
  const busyCores = (process: string) => (peakPerSecond * (model.cpuMs[process] ?? 0)) / 1_000;
  const replicas = Object.fromEntries(
    SERVICES.map((name) => [
      name,
      Math.max(MIN_REPLICAS, Math.ceil(busyCores(name) / MAX_REPLICA_UTILIZATION)),
    ]),
  );
  const cores = Object.fromEntries(
    DATABASES.map((name) => [
      name,
      Math.max(1, Math.ceil(busyCores(name) / MAX_DATABASE_UTILIZATION)),
    ]),
  );
  const stations = stationsBy((name) => {
    const processes = replicas[name] ?? Number.POSITIVE_INFINITY;
    const machine = { name, cores: replicas[name] ?? cores[name] ?? Number.POSITIVE_INFINITY };
    return { name, machine, processes };
  });
  const { storedBytes, walBytes, processBytes } = measured.perCreated;
  const serviceBytes = Object.values(processBytes).reduce((sum, bytes) => sum + bytes, 0);
  return {
    bookingsPerYear,
    peakPerSecond,
    replicas,
    cores,
    storedGbPerYear: Object.fromEntries(
      Object.entries(storedBytes).map(([name, bytes]) => [name, (bytes * bookingsPerYear) / 1e9]),
    ),
    walMbPerSecond: (walBytes * peakPerSecond) / 1e6,
    serviceMbPerSecond: (serviceBytes * peakPerSecond) / 1e6,
    simulated: simulate(
      toRoute(model, stations),
      { requestsPerSecond: peakPerSecond },
      // A low rate needs long to give percentiles.
      {
        seconds: Math.max(SIMULATED_SECONDS, 500 / peakPerSecond),
        warmUpSeconds: 5,
        random: Math.random,
      },
    ),
  };
}

/** Bookings per second at which a database's share of one server with so many cores is reached. */
export function maxPerSecond(model: BookingModel, database: string, cores: number): number {
  return (cores * MAX_DATABASE_UTILIZATION * 1_000) / (model.cpuMs[database] ?? 0);
}
