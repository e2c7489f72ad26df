import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import {
  paidBookRows,
  paidPaymentRows,
  paidSpaceRows,
  storeRows,
} from '../booking/stored/postgres-rows.ts';
import { storeViews } from '../booking/stored/view-rows.ts';
import { type CpuTime, countCpuTime } from '../measurement/cpu-time.ts';
import { log } from '../system/measure-system.ts';
import { toEvenHour } from '../system/spaces.ts';
import type { System } from '../system/system.ts';

/**
 * PaymentApproved and BookingPaid (space); from both follow Registered (book, mypage) and
 * BookingStatusChanged (mypage).
 */
const EVENTS_PER_BOOKING = 4;
const DELIVERIES_PER_BOOKING = 5;
const DRAIN_TIMEOUT_MS = 1_800_000;
const LOG_PERIOD_MS = 10_000;

export interface Backlog {
  /** Until space acknowledged the last event that waited for it. */
  backlogPerSecond: number;
  /** Until all events that follow from them were acknowledged as well. */
  seconds: number;
  events: number;
  eventsPerSecond: number;
  deliveriesPerSecond: number;
  /** The peak resident size of each process. */
  peakMiB: Record<string, number>;
  /** Milliseconds for each paid booking, by process. */
  cpuPerBooking: CpuTime;
}

/** Stops space (SIGSTOP), stores paid bookings that wait for it, resumes it, and waits until the backlog is drained. */
export async function measureBacklog(
  { instance, postgresUrl }: System,
  spaceIds: readonly string[],
  count: number,
): Promise<Backlog> {
  const space = instance.services.space?.pid as number;
  log(`Space is down: storing ${count} paid bookings that wait for it`);
  process.kill(space, 'SIGSTOP');
  try {
    const now = new Date();
    const stored = { count, spaceIds, middle: toEvenHour(now), now };
    await Promise.all([
      storeRows(postgresUrl('book'), stored, paidBookRows),
      storeRows(postgresUrl('space'), stored, paidSpaceRows),
      storeViews(instance.databases.mypage as string, stored, 'PAID'),
    ]);
    await storeRows(postgresUrl('payment'), stored, paidPaymentRows);
  } finally {
    process.kill(space, 'SIGCONT');
  }

  log('Space is back');
  const start = performance.now();
  const cpu = countCpuTime(instance);
  const contexts = ['payment', 'space', 'book'] as const;
  const clients = await Promise.all(
    contexts.map(async (name) => {
      const client = new pg.Client(postgresUrl(name));
      await client.connect();
      return client;
    }),
  );
  try {
    const awaited = () =>
      Promise.all(
        clients.map(async (client) => {
          const { rows } = await client.query<{ awaited: number }>(
            `SELECT count(*)::int AS awaited FROM outbox WHERE awaiting <> '{}'`,
          );
          return rows[0]?.awaited ?? 0;
        }),
      );
    let backlogMs: number | undefined;
    let logAt = 0;
    for (;;) {
      const [payment = 0, spaces = 0, books = 0] = await awaited();
      const ms = performance.now() - start;
      if (payment === 0) backlogMs ??= ms;
      if (payment + spaces + books === 0) {
        await expectNoDeadLetters(clients);
        return {
          backlogPerSecond: (count * 1_000) / (backlogMs ?? ms),
          seconds: ms / 1_000,
          events: count * EVENTS_PER_BOOKING,
          eventsPerSecond: (count * EVENTS_PER_BOOKING * 1_000) / ms,
          deliveriesPerSecond: (count * DELIVERIES_PER_BOOKING * 1_000) / ms,
          peakMiB: peaks(instance),
          cpuPerBooking: Object.fromEntries(
            Object.entries(cpu?.().spent ?? {}).map(([name, spent]) => [name, spent / count]),
          ),
        };
      }
      if (ms > DRAIN_TIMEOUT_MS) throw new Error(`After ${ms} ms the backlog is not drained.`);
      if (ms > logAt) {
        log(`awaited: ${payment} of payment's events, ${spaces} of space's, ${books} of book's`);
        logAt = ms + LOG_PERIOD_MS;
      }
      await wait(500);
    }
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

/** A parked event is acknowledged as well, but its effect is missing. */
async function expectNoDeadLetters(clients: readonly pg.Client[]): Promise<void> {
  for (const client of clients) {
    const { rows } = await client.query<{ count: number; error: string }>(
      'SELECT count(*)::int AS count, min(error) AS error FROM dead_letter',
    );
    if (rows[0]?.count) throw new Error(`${rows[0].count} events failed: ${rows[0].error}`);
  }
}

function peaks({ services }: System['instance']): Record<string, number> {
  const peak = (pid: number | null) => {
    const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Math.round(Number(kib) / 1_024);
  };
  return Object.fromEntries(Object.entries(services).map(([name, { pid }]) => [name, peak(pid)]));
}
