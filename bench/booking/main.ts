import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import pg from 'pg';
import { type CountedCpu, type CpuTime, countCpuTime } from '../measurement/cpu-time.ts';
import { readMachine } from '../measurement/machine.ts';
import { countWrittenRows, perBooking } from '../measurement/written-rows.ts';
import { log, measureSystem } from '../system/measure-system.ts';
import { type RouterClient, routerClient } from '../system/router-client.ts';
import { type FreeSlot, listSpaces, SPACES, slotDealer } from '../system/spaces.ts';
import type { System } from '../system/system.ts';
import { measureBookings } from './booking-load.ts';
import { measureLimit } from './limit/measure-limit.ts';
import { type Options, readOptions } from './options.ts';
import { measureReading } from './reading-load.ts';
import { type Results, type Round, toRatios, toReport } from './report.ts';
import { storeBookings } from './stored/store-bookings.ts';
import { watchVisibleBookings } from './visible-bookings.ts';

await measureSystem(readOptions, measureAll);

async function measureAll(system: System, options: Options): Promise<void> {
  const { instance, postgresUrl, url } = system;
  const router = routerClient(url, options.clients * 2);
  const spaceIds = await listSpaces(router, postgresUrl('book'));
  log(`${SPACES} spaces are listed`);
  const tokens = await Promise.all(
    Array.from({ length: options.clients }, (_, n) => router.tokenFor(`customer-${n}`, 'customer')),
  );
  const load = { options, system, router, tokens, nextSlot: slotDealer(spaceIds) };

  const results: Results = {
    startedAt: new Date().toISOString(),
    options,
    machine: readMachine(),
    empty: { stored: 0 },
    ratios: {},
    failures: [],
  };
  // A part that fails loses its own results only; the others still run.
  const part = async (what: string, work: () => Promise<void>) => {
    log(what);
    try {
      await work();
    } catch (error) {
      process.exitCode = 1;
      const failure = `${what}: failed. ${(error as Error).message}`;
      results.failures.push(failure);
      log(failure);
    }
  };

  await measureRound(load, results.empty, part);
  await part('Measuring the limit', async () => {
    await checkpoint(postgresUrl('postgres'));
    const cpu = cpuTimeCounter(instance);
    results.limit = await measureLimit(system, spaceIds, {
      clients: options.clients,
      warmUpSeconds: 3,
      seconds: Math.min(10, options.seconds),
      ...cpu,
    });
    results.cpuPerLimitBooking = cpu.perBooking(results.limit.bookings);
    results.usedByOthers = cpu.usedByOthers();
    log(`${results.limit.bookingsPerSecond.toFixed(1)} bookings per second`);
  });
  if (options.stored > 0) {
    const full: Round = { stored: options.stored };
    await part(`Storing ${options.stored} bookings`, async () => {
      await storeBookings(system, options.stored, spaceIds);
      results.full = full;
    });
    if (results.full) await measureRound(load, results.full, part);
  }
  await router.close();

  results.ratios = toRatios(results);
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify(results, undefined, 2)}\n`);
  console.log(`${toReport(results)}\n\nThe results are in ${options.out}`);
}

interface Load {
  options: Options;
  system: System;
  router: RouterClient;
  tokens: string[];
  nextSlot: () => FreeSlot;
}

/** Books, then reads, and stores the results in the round. */
async function measureRound(
  { options, system, router, tokens, nextSlot }: Load,
  round: Round,
  part: (what: string, work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { instance, postgresUrl } = system;
  const state = round.stored > 0 ? `, ${round.stored} stored` : '';

  await part(`Booking for ${options.seconds} s${state}`, async () => {
    await checkpoint(postgresUrl('postgres'));
    const visible = watchVisibleBookings(instance.databases.mypage as string);
    const written = await countWrittenRows(postgresUrl, ['book', 'payment', 'space']);
    const cpu = cpuTimeCounter(instance);
    const bookings = await measureBookings({
      router,
      tokens,
      nextSlot,
      visible,
      // V8 optimizes a function only after some hundred calls.
      warmUpSeconds: round.stored > 0 ? 5 : 15,
      seconds: options.seconds,
      ...cpu,
    }).finally(() => visible.close());
    round.written = perBooking(await written(), bookings.created);
    round.cpuPerBooking = cpu.perBooking(bookings.confirmed);
    round.usedByOthers = cpu.usedByOthers();
    round.bookings = bookings;
    log(`${bookings.confirmedPerSecond.toFixed(1)} confirmed bookings per second`);
  });

  const seconds = Math.min(8, options.seconds);
  await part(`Reading mypage for ${seconds} s${state}`, async () => {
    round.reading = await measureReading({ router, tokens, warmUpSeconds: 2, seconds });
    log(`${round.reading.readsPerSecond.toFixed(1)} reads per second`);
  });
}

/** Counts CPU time between `atStart` and `atEnd`, which a load calls. */
function cpuTimeCounter(instance: System['instance']) {
  let count: (() => CountedCpu) | undefined;
  let counted: CountedCpu | undefined;
  return {
    atStart: () => {
      count = countCpuTime(instance);
    },
    atEnd: () => {
      counted = count?.();
    },
    usedByOthers: () => counted?.usedByOthers,
    perBooking: (bookings: number): CpuTime | undefined =>
      counted &&
      Object.fromEntries(
        Object.entries(counted.spent).map(([name, ms]) => [name, ms / Math.max(1, bookings)]),
      ),
  };
}

/** Flushes PostgreSQL's dirty pages, so that a measurement does not pay for the writes of the one before. */
async function checkpoint(postgresUrl: string): Promise<void> {
  const client = new pg.Client(postgresUrl);
  await client.connect();
  try {
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}
