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

/** Book's timeout for payment: a slower request was a probe of the half-open circuit. */
const PROBE_MS = 1_500;
const WARM_UP = 300;
const DRAIN_TIMEOUT_MS = 180_000;

interface TimedResponse {
  status: string | undefined;
  /** Times of performance.now(). */
  requestedAt: number;
  respondedAt: number;
}

export interface PaymentOutage {
  /** Of requests that did not call payment. */
  latencies: Latencies;
  /** Of those of them during which the host's other guests used hardly any CPU time. */
  undisturbed: Latencies;
  /** The share of the CPU time that those guests used; undefined where the kernel does not report it. */
  stolenShare: number | undefined;
  /** Of a page that the benchmark writes to the same disk at the same time. */
  diskFlushes: Latencies;
  /** Requests that the half-open circuit let through. */
  probes: number;
  deferred: number;
  drainedPerSecond: number;
}

/** Stops payment's process (SIGSTOP), books while its circuit is open, resumes it, and waits until nothing is deferred. */
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

  async function request(): Promise<TimedResponse> {
    const { spaceId, startAt, endAt } = nextSlot();
    keys += 1;
    const input = {
      idempotencyKey: `outage-${keys}`,
      spaceId,
      slot: { startAt: startAt.toISOString(), endAt: endAt.toISOString() },
      paymentMethod: 'pm_ok',
    };
    const requestedAt = performance.now();
    type Data = { requestBooking: { booking?: { status: string } } };
    const { requestBooking: response } = await router.request<Data>(
      requestBooking,
      { input },
      token,
    );
    return { status: response.booking?.status, requestedAt, respondedAt: performance.now() };
  }

  log(`Warming up with ${WARM_UP} bookings`);
  for (let n = 0; n < WARM_UP; n += 10) await Promise.all(Array.from({ length: 10 }, request));

  process.kill(payment, 'SIGSTOP');
  const responses: TimedResponse[] = [];
  let stolen: StolenTime;
  let diskFlushes: Latencies;
  try {
    log('Payment is silent: booking until the circuit is open');
    while (!(await isOpen(`${book}/metrics`, metricsToken))) {
      await Promise.all(Array.from({ length: 25 }, request));
    }
    log(`Booking for ${seconds} s, ${rate} a second`);
    const requests: Promise<void>[] = [];
    const stolenTime = watchStolenTime();
    const flushTimes = timeDiskFlushes(home);
    const start = performance.now();
    // At a fixed rate: a slow response must not delay the next request.
    for (let n = 0; n < rate * seconds; n += 1) {
      await wait(start + (n * 1_000) / rate - performance.now());
      requests.push(request().then((response) => void responses.push(response)));
    }
    await Promise.all(requests);
    stolen = stolenTime();
    diskFlushes = await flushTimes();
  } finally {
    process.kill(payment, 'SIGCONT');
  }
  const others = responses.filter(({ status }) => status !== 'PAYMENT_DEFERRED');
  if (others.length > 0) throw new Error(`${others.length} responses were not PAYMENT_DEFERRED.`);

  log('Payment is back: waiting until nothing is deferred');
  const { deferred, drainedPerSecond } = await drain(postgresUrl('book'));
  const quick = responses.filter((response) => toMilliseconds(response) < PROBE_MS);
  const undisturbed = quick.filter((response) =>
    stolen.wasUndisturbed(response.requestedAt, response.respondedAt),
  );
  return {
    latencies: toLatencies(quick.map(toMilliseconds)),
    undisturbed: toLatencies(undisturbed.map(toMilliseconds)),
    stolenShare: stolen.share,
    diskFlushes,
    probes: responses.length - quick.length,
    deferred,
    drainedPerSecond,
  };
}

function toMilliseconds({ requestedAt, respondedAt }: TimedResponse): number {
  return respondedAt - requestedAt;
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
    const deadline = performance.now() + DRAIN_TIMEOUT_MS;
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
