import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openTransport } from '#platform/messaging/queue.ts';
import { createLogger } from '#platform/observability/logger.ts';
import { readInstance } from '../../supervisor/src/instance-file.ts';
import { readMachine } from '../measurement/machine.ts';
import { log, measureSystem } from '../system/measure-system.ts';
import { type RouterClient, routerClient } from '../system/router-client.ts';
import { listSpaces, slotDealer } from '../system/spaces.ts';
import type { System } from '../system/system.ts';
import { startChild } from './child.ts';
import { type LiveBooking, type LiveEvents, liveEvents } from './events.ts';
import { type Options, readOptions } from './options.ts';
import { type Results, type Sized, toReport } from './report.ts';
import {
  kibPerSubscriber,
  measureBroadcast,
  measureSame,
  measureSpread,
  subscribeToOwn,
  type Watched,
} from './round.ts';
import type { SubscriberTasks } from './subscriber-process.ts';

const RESTART_TIMEOUT_MS = 30_000;
const WARM_UP_CLIENTS = 50;

// In some parts, all subscriptions belong to one user.
await measureSystem(readOptions, measure, {
  SUBSCRIPTIONS_PER_USER: '100000',
  SUBSCRIPTIONS_PER_PROCESS: '100000',
});

async function measure(system: System, options: Options): Promise<void> {
  const queue = { QUEUE_DATABASE_URL: system.postgresUrl('queue') };
  const transport = openTransport(queue, createLogger('bench', 'silent'));
  const events = liveEvents(transport, system.instance.databases.mypage as string);
  const router = routerClient(system.url, 32);
  const maxSubscribers = Math.max(...options.subscribers);
  log(`Creating ${maxSubscribers} bookings`);
  const own = await Promise.all(
    (await events.createBookings(maxSubscribers)).map((booking) => withToken(router, booking)),
  );
  const whole = await bookThroughRouter(system, router);

  const sized: Sized[] = [];
  for (const count of options.subscribers) {
    sized.push(await measureSize(system, options, events, own.slice(0, count), whole));
  }
  await router.close();
  await transport.close();

  const startedAt = new Date().toISOString();
  const results: Results = { startedAt, options, machine: readMachine(), sized };
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify(results, undefined, 2)}\n`);
  console.log(toReport(results));
  console.log(`\nThe results are in ${options.out}`);
}

/** Measures one subscriber for each booking in `own`; `whole` is a booking that all contexts store. */
async function measureSize(
  system: System,
  { rate, seconds }: Options,
  events: LiveEvents,
  own: readonly Watched[],
  whole: Watched,
): Promise<Sized> {
  const count = own.length;
  // A new process, so that its memory contains only these subscribers.
  const routerPid = await restartRouter(system);
  const clients = startChild<SubscriberTasks>(new URL('./subscriber-process.js', import.meta.url));
  try {
    const url = `${system.url.replace(/^http/, 'ws')}/graphql`;
    const round = { url, routerPid, count, rate, seconds, events, clients };
    await subscribeToOwn(round, own.slice(0, WARM_UP_CLIENTS));
    await clients.run('close', undefined);
    log(`${count} subscribers, each watches a booking of its own`);
    const memory = await kibPerSubscriber(routerPid, count, () => subscribeToOwn(round, own));
    await events.untilCreationIsOld();
    const spread = await measureSpread(round, own);
    const message = await clients.run('newest', undefined);
    await clients.run('close', undefined);
    log(`${count} clients of a bare broadcast`);
    const limit = await measureBroadcast(round, message);
    log(`${count} subscribers, all watch the same booking`);
    const same = await measureSame(round, whole, limit, 'own');
    log(`${count} subscribers, all watch the same booking with other contexts' fields`);
    const sameWhole = await measureSame(round, whole, limit, 'all');
    return { count, messageBytes: message.length, memory, spread, limit, same, sameWhole };
  } finally {
    clients.stop();
  }
}

async function withToken(router: RouterClient, booking: LiveBooking): Promise<Watched> {
  return { ...booking, token: await router.tokenFor(booking.customerId, 'customer') };
}

async function bookThroughRouter(system: System, router: RouterClient): Promise<Watched> {
  const customerId = 'live-whole';
  const token = await router.tokenFor(customerId, 'customer');
  const { spaceId, startAt, endAt } = slotDealer(
    await listSpaces(router, system.postgresUrl('book')),
  )();
  const input = {
    idempotencyKey: 'live-whole',
    spaceId,
    slot: { startAt: startAt.toISOString(), endAt: endAt.toISOString() },
    paymentMethod: 'pm_ok',
  };
  type Data = { requestBooking: { booking?: { id: string } } };
  const { requestBooking } = await router.request<Data>(
    `mutation ($input: RequestBookingInput!) {
      requestBooking(input: $input) { ... on RequestBookingSuccess { booking { id } } }
    }`,
    { input },
    token,
  );
  if (!requestBooking.booking) throw new Error('The booking that all watch was refused.');
  return { bookingId: requestBooking.booking.id, customerId, token };
}

/** Resolves with the id of the new process when it is ready. */
async function restartRouter({ home, instance, url }: System): Promise<number> {
  const old = Number((readInstance(home) ?? instance).services.router?.pid);
  process.kill(old, 'SIGTERM');
  const deadline = performance.now() + RESTART_TIMEOUT_MS;
  for (;;) {
    const pid = readInstance(home)?.services.router?.pid;
    const ready = fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (pid && pid !== old && (await ready)) return pid;
    if (performance.now() > deadline) throw new Error('The router does not restart.');
    await wait(100);
  }
}
