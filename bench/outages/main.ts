import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Latencies } from '../measurement/latencies.ts';
import { readMachine } from '../measurement/machine.ts';
import { measureSystem } from '../system/measure-system.ts';
import { routerClient } from '../system/router-client.ts';
import { listSpaces, slotDealer } from '../system/spaces.ts';
import type { System } from '../system/system.ts';
import { measureBacklog } from './backlog.ts';
import { type Options, readOptions } from './options.ts';
import { measurePaymentOutage } from './payment-outage.ts';

const METRICS_TOKEN = randomBytes(32).toString('base64url');

// Services that are stopped for longer than a minute must not be killed.
await measureSystem(readOptions, measure, { METRICS_TOKEN, SPACERENT_KILL_HANGING: 'off' });

async function measure(system: System, options: Options): Promise<void> {
  const router = routerClient(system.url, 64);
  const spaceIds = await listSpaces(router, system.postgresUrl('book'));

  const payment = await measurePaymentOutage(system, router, slotDealer(spaceIds), {
    ...options,
    metricsToken: METRICS_TOKEN,
  });
  const backlog =
    options.backlog > 0 ? await measureBacklog(system, spaceIds, options.backlog) : undefined;
  await router.close();

  mkdirSync(dirname(options.out), { recursive: true });
  const results = { startedAt: new Date().toISOString(), machine: readMachine(), payment, backlog };
  writeFileSync(options.out, `${JSON.stringify(results, undefined, 2)}\n`);

  const { latencies, undisturbed, stolenShare, diskFlushes, deferred, drainedPerSecond } = payment;
  const percentiles = ({ p50, p95, p99 }: Latencies) =>
    `p50 ${p50.toFixed(1)}, p95 ${p95.toFixed(1)}, p99 ${p99.toFixed(1)}`;
  console.log(`
While payment is silent and its circuit open, ${options.rate} requests a second:
  requestBooking responds PAYMENT_DEFERRED in ms: ${percentiles(latencies)} (aim: p99 below 50)
  the host's other guests used ${((stolenShare ?? Number.NaN) * 100).toFixed(0)} % of the CPU time; the ${undisturbed.count} requests while they used next to none: ${percentiles(undisturbed)}
  a page written to the same disk at the same time: ${percentiles(diskFlushes)}
  ${payment.probes} of ${latencies.count + payment.probes} requests tried whether payment is back, and waited for it: not counted above
  ${deferred} deferred payments drained at ${drainedPerSecond.toFixed(1)} a second once it was back`);
  if (backlog) {
    console.log(`
A backlog of ${options.backlog} events, space down:
  processed at ${backlog.backlogPerSecond.toFixed(0)} events a second (aim: 1000)
  with what follows from them, ${backlog.events} events in ${backlog.seconds.toFixed(0)} s: ${backlog.eventsPerSecond.toFixed(0)} events, ${backlog.deliveriesPerSecond.toFixed(0)} deliveries a second
  peak memory in MiB: ${Object.entries(backlog.peakMiB)
    .map(([name, size]) => `${name} ${size}`)
    .join(', ')}
  CPU time per booking in ms: ${Object.entries(backlog.cpuPerBooking)
    .filter(([, spent]) => spent >= 0.05)
    .map(([name, spent]) => `${name} ${spent.toFixed(1)}`)
    .join(', ')}`);
  }
  console.log(`\nThe results are in ${options.out}`);
}
