import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { prismaHostViews } from '../../subgraphs/mypage/src/adapters/prisma-host-views.ts';
import { openViewDatabase } from '../../subgraphs/mypage/src/adapters/view-database.ts';
import type { HostViews, ViewPosition } from '../../subgraphs/mypage/src/ports.ts';
import { type Latencies, toLatencies } from '../measurement/latencies.ts';
import { readMachine } from '../measurement/machine.ts';
import { log } from '../system/measure-system.ts';
import { readOptions } from './options.ts';
import { createMariaDb, createSqlite, type ScratchDatabase } from './scratch-databases.ts';
import { LARGE, SMALL, storeViews } from './store-views.ts';

/** As many as the small host has, so that both hosts' pages have as many rows. */
const PAGE_SIZE = SMALL.bookings;
const WARM_UP_REQUESTS = 100;
const ALL = { spaceId: null, statuses: null, startsFrom: null, startsBefore: null };
const AIM = 2;

interface Compared {
  large: Latencies;
  small: Latencies;
  /** How many times as long the large host's median is. */
  ratio: number;
}

interface Measured {
  engine: string;
  /** The first page of each host. */
  firstPage: Compared;
  /** A page somewhere in the large host's list, against the small host's first. */
  laterPage: Compared;
  awaitingApproval: Compared;
}

const options = readOptions(process.argv.slice(2));
const measured = [await measureOn(await createSqlite())];
if (options.mariadbUrl) measured.push(await measureOn(await createMariaDb(options.mariadbUrl)));
report(measured);

async function measureOn(database: ScratchDatabase): Promise<Measured> {
  const { engine, url } = database;
  try {
    log(`Storing ${options.stored} bookings on ${engine}`);
    await storeViews(database, options.stored);
    const prisma = await openViewDatabase(url);
    try {
      log(`Reading pages on ${engine}`);
      return { engine, ...(await measurePages(prismaHostViews(prisma))) };
    } finally {
      await prisma.$disconnect();
    }
  } finally {
    await database.drop();
  }
}

async function measurePages(hosts: HostViews): Promise<Omit<Measured, 'engine'>> {
  const read = async (hostId: string, after: ViewPosition | null = null) => {
    const page = await hosts.list(hostId, ALL, { limit: PAGE_SIZE + 1, after });
    if (page.length < PAGE_SIZE) throw new Error(`${hostId} has ${page.length} bookings`);
  };
  const positions = await readPositions(hosts);
  const small = () => read(SMALL.hostId);
  return {
    firstPage: await compare(() => read(LARGE.hostId), small),
    laterPage: await compare(
      (n) => read(LARGE.hostId, positions[(n * 17) % positions.length]),
      small,
    ),
    awaitingApproval: await compare(
      () => hosts.countAwaitingApproval(LARGE.hostId),
      () => hosts.countAwaitingApproval(SMALL.hostId),
    ),
  };
}

/** Positions in the large host's list, each with a whole page behind it. */
async function readPositions(hosts: HostViews): Promise<ViewPosition[]> {
  const positions: ViewPosition[] = [];
  for (;;) {
    const page = { limit: 500, after: positions.at(-1) ?? null };
    const found = await hosts.list(LARGE.hostId, ALL, page);
    for (const { view } of found) {
      if (view.startAt) positions.push({ startAt: view.startAt, bookingId: view.bookingId });
    }
    if (found.length < page.limit) break;
  }
  if (positions.length === LARGE.bookings) return positions.slice(0, -PAGE_SIZE);
  throw new Error(`${LARGE.hostId} has ${positions.length} bookings`);
}

/** Reads in turns, so that whatever else the machine does affects both alike. */
async function compare(
  large: (n: number) => Promise<unknown>,
  small: () => Promise<unknown>,
): Promise<Compared> {
  const milliseconds: Record<'large' | 'small', number[]> = { large: [], small: [] };
  for (let n = -WARM_UP_REQUESTS; n < options.requests; n += 1) {
    for (const [name, work] of [['large', large] as const, ['small', small] as const]) {
      const startedAt = performance.now();
      await work(Math.max(0, n));
      if (n >= 0) milliseconds[name].push(performance.now() - startedAt);
    }
  }
  const latencies = {
    large: toLatencies(milliseconds.large),
    small: toLatencies(milliseconds.small),
  };
  return { ...latencies, ratio: latencies.large.p50 / latencies.small.p50 };
}

function report(engines: readonly Measured[]): void {
  const results = { options, machine: readMachine(), engines };
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify(results, undefined, 2)}\n`);
  const line = (name: string, { large, small, ratio }: Compared) =>
    `  ${name.padEnd(20)} ${large.p50.toFixed(2)} / ${small.p50.toFixed(2)} ms: ${ratio.toFixed(2)} times`;
  for (const { engine, firstPage, laterPage, awaitingApproval } of engines) {
    console.log(`
${engine}, ${options.stored} bookings stored, medians of a host with ${LARGE.bookings} and of one with ${SMALL.bookings} (aim: below ${AIM} times):
${line('the first page', firstPage)}
${line('a later page', laterPage)}
${line('awaitingApproval', awaitingApproval)}`);
  }
  console.log(`\nThe results are in ${options.out}`);
}
