import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { timeDiskFlushes } from '../measurement/disk-flushes.ts';
import { type Latencies, toLatencies } from '../measurement/latencies.ts';
import { type StolenTime, watchStolenTime } from '../measurement/stolen-time.ts';
import { log } from '../system/measure-system.ts';
import type { RouterClient } from '../system/router-client.ts';
import type { FreeSlot } from '../system/spaces.ts';
import type { System } from '../system/system.ts';
import type { Options } from './options.ts';

const requestBooking = `mutation ($input: RequestBookingInput!) {
  requestBooking(input: $input) {
    ... on RequestBookingSuccess { booking { status } }
    ... on Problem { message }
  }
}`;

/** Book waits so long for payment: a request that took longer was the one that tried. */
const PROBE_MS = 1_500;
const WARM_UP = 300;
const DRAINED_WITHIN_MS = 180_000;

interface Answered {
  status: string | undefined;
  /** Times of performance.now(). */
  askedAt: number;
  answeredAt: number;
}

export interface PaymentOutage {
  /** Of requests that did not call payment. */
  latencies: Latencies;
  /** Of those of them during which the host's other guests left this machine its CPUs. */
  undisturbed: Latencies;
  /** The part of the CPU time that those guests took; undefined where the kernel doesn't tell. */
  stolenShare: number | undefined;
  /** Of a page that something else writes to the same disk meanwhile. */
  diskFlushes: Latencies;
  /** Requests that the half-open circuit let through to find out. */
  probes: number;
  deferred: number;
  drainedPerSecond: number;
}

/** Stops payment's process (SIGSTOP), books while its circuit is open, lets it go on, and waits. */
export async function measurePaymentOutage(
  { home, instance, postgresUrl }: System,
  router: RouterClient,
  nextSlot: () => FreeSlot,
  { rate, seconds, metricsToken }: Options & { metricsToken: string },
): Promise<PaymentOutage> {
  const token = await router.tokenFor('outage-customer', 'customer');
  const book = instance.services.book?.url;
  const payment = instance.services.payment?.pid as number;
  let keys = 0;

  async function request(): Promise<Answered> {
    const { spaceId, startAt, endAt } = nextSlot();
    keys += 1;
    const input = {
      idempotencyKey: `outage-${keys}`,
      spaceId,
      slot: { startAt: startAt.toISOString(), endAt: endAt.toISOString() },
      paymentMethod: 'pm_ok',
    };
    const askedAt = performance.now();
    type Answer = { requestBooking: { booking?: { status: string } } };
    const { requestBooking: answer } = await router.request<Answer>(
      requestBooking,
      { input },
      token,
    );
    return { status: answer.booking?.status, askedAt, answeredAt: performance.now() };
  }

  log(`Warming up with ${WARM_UP} bookings`);
  for (let n = 0; n < WARM_UP; n += 10) await Promise.all(Array.from({ length: 10 }, request));

  process.kill(payment, 'SIGSTOP');
  const answers: Answered[] = [];
  let stolen: StolenTime;
  let diskFlushes: Latencies;
  try {
    log('Payment is silent: booking until the circuit is open');
    while (!(await isOpen(`${book}/metrics`, metricsToken))) {
      await Promise.all(Array.from({ length: 25 }, request));
    }
    log(`Booking for ${seconds} s, ${rate} a second`);
    const asked: Promise<void>[] = [];
    const stolenTime = watchStolenTime();
    const flushTimes = timeDiskFlushes(home);
    const start = performance.now();
    // At a fixed rate: a slow answer does not spare the system the next request.
    for (let n = 0; n < rate * seconds; n += 1) {
      await wait(start + (n * 1_000) / rate - performance.now());
      asked.push(request().then((answer) => void answers.push(answer)));
    }
    await Promise.all(asked);
    stolen = stolenTime();
    diskFlushes = await flushTimes();
  } finally {
    process.kill(payment, 'SIGCONT');
  }
  const others = answers.filter(({ status }) => status !== 'PAYMENT_DEFERRED');
  if (others.length > 0) throw new Error(`${others.length} answers were not PAYMENT_DEFERRED.`);

  log('Payment is back: waiting until nothing is deferred');
  const { deferred, drainedPerSecond } = await drain(postgresUrl('book'));
  const quick = answers.filter((answer) => millisecondsOf(answer) < PROBE_MS);
  const undisturbed = quick.filter((answer) => stolen.wasQuiet(answer.askedAt, answer.answeredAt));
  return {
    latencies: toLatencies(quick.map(millisecondsOf)),
    undisturbed: toLatencies(undisturbed.map(millisecondsOf)),
    stolenShare: stolen.share,
    diskFlushes,
    probes: answers.length - quick.length,
    deferred,
    drainedPerSecond,
  };
}

function millisecondsOf({ askedAt, answeredAt }: Answered): number {
  return answeredAt - askedAt;
}

async function isOpen(metricsUrl: string, token: string): Promise<boolean> {
  const response = await fetch(metricsUrl, { headers: { authorization: `Bearer ${token}` } });
  return /spacerent_payment_circuit\{state="open"[^}]*\} 1/.test(await response.text());
}

/** Waits until no booking is deferred; the rate is that between the first and the last tenth. */
async function drain(bookUrl: string): Promise<{ deferred: number; drainedPerSecond: number }> {
  const client = new pg.Client(bookUrl);
  await client.connect();
  try {
    const left = async () =>
      (
        await client.query<{ left: number }>(
          `SELECT count(*)::int AS left FROM booking WHERE status IN ('REQUESTED', 'PAYMENT_DEFERRED')`,
        )
      ).rows[0]?.left ?? 0;
    const deferred = await left();
    const marks: number[] = [];
    const deadline = performance.now() + DRAINED_WITHIN_MS;
    for (;;) {
      const now = await left();
      if (marks.length === 0 && now <= deferred * 0.9) marks.push(performance.now());
      if (marks.length === 1 && now <= deferred * 0.1) marks.push(performance.now());
      if (now === 0) break;
      if (performance.now() > deadline) throw new Error(`${now} payments are still deferred.`);
      await wait(50);
    }
    const [from = 0, to = 0] = marks;
    return { deferred, drainedPerSecond: (deferred * 0.8 * 1_000) / (to - from) };
  } finally {
    await client.end();
  }
}
