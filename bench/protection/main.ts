import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Latencies, toLatencies } from '../measurement/latencies.ts';
import { readMachine } from '../measurement/machine.ts';
import { watchStolenTime } from '../measurement/stolen-time.ts';
import { resultsFile, wholeNumber } from '../options.ts';
import { log, measureSystem } from '../system/measure-system.ts';
import { type RouterClient, routerClient } from '../system/router-client.ts';
import { listSpaces, slotDealer } from '../system/spaces.ts';
import { type System, startSystem } from '../system/system.ts';
import { buildOtherVersion } from './other-version.ts';

const BOOKINGS = 20;
const WARM_UP = 500;

const READ_PAGE = `query MyPage {
  myPage {
    bookings(first: ${BOOKINGS}) {
      edges { node { bookingId status spaceName price { amount } timeline { status at } version } }
    }
  }
}`;
const READ_BOOKING = 'query Booking($id: ID!) { booking(id: $id) { id status } }';
const REQUEST = `mutation Request($input: RequestBookingInput!) {
  requestBooking(input: $input) { ... on RequestBookingSuccess { booking { id } } }
}`;

interface Options {
  against: string | undefined;
  requests: number;
  out: string;
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      against: { type: 'string' },
      requests: { type: 'string', default: '2000' },
      out: { type: 'string' },
    },
  });
  const requests = wholeNumber('--requests', values.requests, 100, 1_000_000);
  return {
    against: values.against,
    requests,
    out: resultsFile(values.out, 'bench-protection.json'),
  };
}

await measureSystem(readOptions, measure);

async function measure(system: System, { against, requests, out }: Options): Promise<void> {
  const stolen = watchStolenTime();
  const here = await reader(system);
  const cost = against === undefined ? undefined : await compare(here, against, requests);

  log("Another customer's booking, and one that does not exist, in turns");
  const stranger = await here.router.tokenFor('stranger', 'customer');
  const read = (id: string) => () => here.router.request(READ_BOOKING, { id }, stranger);
  const [foreign, missing] = await inTurns(
    requests,
    read(here.bookingId),
    read('01890000-0000-7000-8000-000000000000'),
  );
  await here.router.close();

  const stolenShare = stolen().share;
  const results = { startedAt: new Date().toISOString(), machine: readMachine(), requests };
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(
    out,
    `${JSON.stringify({ ...results, stolenShare, cost, notFound: { foreign, missing } }, undefined, 2)}\n`,
  );
  const ms = ({ p50, p95, p99 }: Latencies) =>
    `p50 ${p50.toFixed(3)}, p95 ${p95.toFixed(3)}, p99 ${p99.toFixed(3)} ms`;
  if (cost) {
    console.log(`
A myPage query of ${BOOKINGS} bookings, one at a time, in turns:
  ${cost.commit.slice(0, 10)}: ${ms(cost.before)}
  this version: ${ms(cost.now)}
  the median costs ${((cost.now.p50 / cost.before.p50 - 1) * 100).toFixed(1)} % more (aim: less than 10 %)`);
  }
  console.log(`
booking(id), one at a time, in turns:
  another customer's: ${ms(foreign)}
  not existing: ${ms(missing)}
  medians: ${(foreign.p50 / missing.p50).toFixed(3)} to 1

The results are in ${out}`);
}

interface Reader {
  router: RouterClient;
  token: string;
  bookingId: string;
}

/** A customer with a page full of bookings. */
async function reader(system: System): Promise<Reader> {
  const router = routerClient(system.url, 1);
  const nextSlot = slotDealer(await listSpaces(router, system.postgresUrl('book')));
  const token = await router.tokenFor('reader', 'customer');
  let bookingId = '';
  for (let count = 0; count < BOOKINGS; count += 1) {
    const { spaceId, startAt, endAt } = nextSlot();
    const slot = { startAt: startAt.toISOString(), endAt: endAt.toISOString() };
    const input = { idempotencyKey: randomUUID(), spaceId, slot, paymentMethod: 'pm_ok' };
    type Data = { requestBooking: { booking: { id: string } } };
    const { requestBooking } = await router.request<Data>(REQUEST, { input }, token);
    bookingId = requestBooking.booking.id;
  }
  type Page = { myPage: { bookings: { edges: { node: { status: string } }[] } } };
  for (;;) {
    const { myPage } = await router.request<Page>(READ_PAGE, {}, token);
    const registered = myPage.bookings.edges.filter(({ node }) => node.status === 'REGISTERED');
    if (registered.length === BOOKINGS) return { router, token, bookingId };
    await wait(100);
  }
}

/** Both versions run at once; each request of one is followed by one of the other. */
async function compare(here: Reader, ref: string, requests: number) {
  log(`Building ${ref}`);
  const version = buildOtherVersion(ref);
  try {
    const system = await startSystem(undefined, {}, version.root);
    try {
      const there = await reader(system);
      log('Reading mypage of both, in turns');
      const read =
        ({ router, token }: Reader) =>
        () =>
          router.request(READ_PAGE, {}, token);
      const [now, before] = await inTurns(requests, read(here), read(there));
      await there.router.close();
      return { commit: version.commit, before, now };
    } finally {
      await system.stop();
    }
  } finally {
    version.remove();
  }
}

async function inTurns(
  count: number,
  first: () => Promise<unknown>,
  second: () => Promise<unknown>,
): Promise<[Latencies, Latencies]> {
  const milliseconds: [number[], number[]] = [[], []];
  for (let turn = 0; turn < WARM_UP + count; turn += 1) {
    for (const [index, read] of (turn % 2 ? [second, first] : [first, second]).entries()) {
      const position = turn % 2 ? 1 - index : index;
      const requestedAt = performance.now();
      await read();
      if (turn >= WARM_UP) milliseconds[position as 0 | 1].push(performance.now() - requestedAt);
    }
  }
  return [toLatencies(milliseconds[0]), toLatencies(milliseconds[1])];
}
