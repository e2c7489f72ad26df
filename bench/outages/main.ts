import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { machine } from '../report.ts';
import { routerClient } from '../router-client.ts';
import { listSpaces, slotDealer } from '../spaces.ts';
import { type System, startSystem } from '../system.ts';
import { measureBacklog } from './backlog.ts';
import { readOptions } from './options.ts';
import { measurePaymentOutage } from './payment-outage.ts';

const startedAt = performance.now();
let starting: Promise<System> | undefined;
let interrupt: (reason: Error) => void = () => {};

try {
  await Promise.race([measure(), interruption()]);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
if (starting) {
  say('Stopping the system');
  const system = await starting.catch(() => undefined);
  await system?.stop();
}
process.exit();

async function measure(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  say('Starting the system');
  starting = startSystem();
  const system = await starting;
  system.ended.catch((error) => interrupt(error));
  const router = routerClient(system.url, 64);
  const spaceIds = await listSpaces(router, system.postgresUrl('book'));

  const payment = await measurePaymentOutage(system, router, slotDealer(spaceIds), options, say);
  const backlog =
    options.backlog > 0 ? await measureBacklog(system, spaceIds, options.backlog, say) : undefined;
  await router.close();

  mkdirSync(dirname(options.out), { recursive: true });
  const results = { startedAt: new Date().toISOString(), machine: machine(), payment, backlog };
  writeFileSync(options.out, `${JSON.stringify(results, undefined, 2)}\n`);

  const { latencies, deferred, drainedPerSecond } = payment;
  const ms = (value: number) => value.toFixed(1);
  console.log(`
While payment is silent and its circuit open, ${options.rate} requests a second:
  requestBooking answers PAYMENT_DEFERRED in ms: p50 ${ms(latencies.p50)}, p95 ${ms(latencies.p95)}, p99 ${ms(latencies.p99)} (aim: p99 below 50)
  ${payment.probes} of ${latencies.count + payment.probes} requests tried whether payment is back, and waited for it: not counted above
  ${deferred} deferred payments drained at ${drainedPerSecond.toFixed(1)} a second once it was back`);
  if (backlog) {
    console.log(`
A backlog of ${options.backlog} events, space down:
  taken at ${backlog.backlogPerSecond.toFixed(0)} events a second (aim: 1000)
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

function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  console.log(`${seconds.padStart(4)} s  ${line}`);
}

function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    interrupt = reject;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => reject(new Error('Interrupted.')));
    }
  });
}
