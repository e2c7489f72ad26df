import { type BookingResults, measureBookings } from '../booking/booking-load.ts';
import { watchVisibleBookings } from '../booking/visible-bookings.ts';
import { type CountedCpu, type CpuTime, countCpuTime } from '../measurement/cpu-time.ts';
import { timeDiskFlushes } from '../measurement/disk-flushes.ts';
import { countWrittenRows, type WrittenRows } from '../measurement/written-rows.ts';
import type { RouterClient } from '../system/router-client.ts';
import type { FreeSlot } from '../system/spaces.ts';
import type { System } from '../system/system.ts';
import { countProcessBytes } from './process-bytes.ts';
import { readStoredBytes } from './stored-bytes.ts';

/** What one load cost. */
export interface MeasuredLoad {
  clients: number;
  bookings: BookingResults;
  /** Milliseconds of CPU time by process in the measured time. */
  cpu: CpuTime;
  /** The share of the machine's CPU time that other programs used. */
  usedByOthers: number;
  /** The median duration of a flush to disk, in milliseconds. */
  flushMs: number;
  /** Of bookings that were created, also before and after the measured time. */
  perCreated: {
    rows: Record<string, WrittenRows>;
    storedBytes: Record<string, number>;
    walBytes: number;
    processBytes: Record<string, number>;
  };
}

const ROW_DATABASES = ['book', 'payment', 'space', 'queue'];

/** Lets `clients` book for `seconds`, and counts everything that it costs. */
export async function measureLoad(
  system: System,
  {
    router,
    tokens,
    nextSlot,
  }: { router: RouterClient; tokens: string[]; nextSlot: () => FreeSlot },
  { clients, warmUpSeconds, seconds }: { clients: number; warmUpSeconds: number; seconds: number },
): Promise<MeasuredLoad> {
  const { instance, postgresUrl } = system;
  const visible = watchVisibleBookings(instance.databases.mypage as string);
  const rows = new Map(
    await Promise.all(
      ROW_DATABASES.map(
        async (name) => [name, await countWrittenRows(postgresUrl, [name])] as const,
      ),
    ),
  );
  const storedBefore = await readStoredBytes(system);
  const bytes = countProcessBytes(instance);
  const flushes = timeDiskFlushes(system.home);
  let stopCounting: (() => CountedCpu) | undefined;
  let counted: CountedCpu | undefined;
  const bookings = await measureBookings({
    router,
    tokens: tokens.slice(0, clients),
    nextSlot,
    visible,
    warmUpSeconds,
    seconds,
    atStart: () => {
      stopCounting = countCpuTime(instance);
    },
    atEnd: () => {
      counted = stopCounting?.();
    },
  }).finally(() => visible.close());
  const { p50: flushMs } = await flushes();
  const processBytes = bytes();
  const storedAfter = await readStoredBytes(system);
  const perCreated = (amount: number) => amount / bookings.created;
  const written: Record<string, WrittenRows> = {};
  for (const [name, stop] of rows) written[name] = await stop();
  if (!counted) throw new Error('The CPU time of processes can be read on Linux only.');
  return {
    clients,
    bookings,
    cpu: counted.spent,
    usedByOthers: counted.usedByOthers,
    flushMs,
    perCreated: {
      rows: mapValues(written, (each) => mapValues({ ...each }, perCreated) as never),
      storedBytes: mapValues(storedAfter.byContext, (size, context) =>
        perCreated(size - (storedBefore.byContext[context] ?? 0)),
      ),
      walBytes: perCreated(storedAfter.walBytes - storedBefore.walBytes),
      processBytes: mapValues(processBytes, perCreated),
    },
  };
}

export function mapValues<Value, Result>(
  values: Record<string, Value>,
  map: (value: Value, name: string) => Result,
): Record<string, Result> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, map(value, name)]),
  );
}
