import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { toLatencies } from '../measurement/latencies.ts';
import { readMachine } from '../measurement/machine.ts';
import { log, measureSystem } from '../system/measure-system.ts';
import { type RouterClient, routerClient } from '../system/router-client.ts';
import type { System } from '../system/system.ts';
import { type Options, readOptions } from './options.ts';
import { type Results, toReport } from './report.ts';
import { openWatchers, type Watchers } from './watchers.ts';

const METRICS_TOKEN = randomUUID() + randomUUID();
const WARM_UP_CHANGES = 2;
const DAY_MS = 24 * 3_600_000;

const LIST_SPACE = `mutation ($input: ListSpaceInput!) {
  listSpace(input: $input) { ... on ListSpaceSuccess { space { id } } } }`;
const BLOCK = `mutation ($input: BlockSlotInput!) {
  blockSlot(input: $input) { ... on BlockSlotSuccess { block { id } } ... on Problem { message } } }`;
const UNBLOCK = `mutation ($id: ID!) {
  unblockSlot(input: { blockId: $id }) { ... on UnblockSlotSuccess { block { id } } } }`;

/** When a change was requested, responded to, and received by each client. */
interface Change {
  requestedAt: number;
  respondedAt: number;
  receivedAt: number[];
}

// All clients have one address, and no token.
await measureSystem(readOptions, measure, {
  METRICS_TOKEN,
  SUBSCRIPTIONS_PER_ADDRESS: '100000',
  WEBSOCKETS_PER_ADDRESS: '100000',
  QUERY_COST_PER_MINUTE_PER_ADDRESS: '0',
  MUTATIONS_PER_MINUTE_PER_USER: '0',
  MUTATIONS_PER_MINUTE_PER_ADDRESS: '0',
});

async function measure(system: System, options: Options): Promise<void> {
  const startedAt = new Date().toISOString();
  const router = routerClient(system.url, 4);
  const host = await router.tokenFor('bench-host', 'host');
  type Listed = { listSpace: { space: { id: string } } };
  const input = { name: 'The watched room', capacity: 8, hourlyRate: 30_000 };
  const { listSpace } = await router.request<Listed>(LIST_SPACE, { input }, host);
  const spaceId = listSpace.space.id;

  log(`${options.watchers} clients subscribe`);
  const url = `${system.url.replace(/^http/, 'ws')}/graphql`;
  // Tomorrow, so that no slot ends being bookable meanwhile.
  const from = new Date(Math.ceil(Date.now() / DAY_MS) * DAY_MS + DAY_MS);
  const to = new Date(from.getTime() + 7 * DAY_MS);
  const range = { spaceId, from: from.toISOString(), to: to.toISOString() };
  const watchers = await openWatchers(url, options.watchers, range);
  const make = changeMaker(router, host, spaceId, from);
  for (let count = 0; count < WARM_UP_CHANGES; count += 1) await measureChange(watchers, make);

  log(`${options.changes} changes`);
  const before = await readComputations(system);
  const changes: Change[] = [];
  for (let count = 0; count < options.changes; count += 1) {
    changes.push(await measureChange(watchers, make));
  }
  const computations = (await readComputations(system)) - before;
  watchers.close();
  await router.close();

  const since = (start: (change: Change) => number) =>
    toLatencies(
      changes.flatMap((change) => change.receivedAt.map((at) => Math.max(0, at - start(change)))),
    );
  const results: Results = {
    ...{ startedAt, options, machine: readMachine() },
    sinceRequest: since(({ requestedAt }) => requestedAt),
    sinceResponse: since(({ respondedAt }) => respondedAt),
    computationsPerChange: computations / options.changes,
  };
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify(results, undefined, 2)}\n`);
  console.log(toReport(results));
  console.log(`\nThe results are in ${options.out}`);
}

/** Makes the function that blocks an hour of the space, and opens it again with the next call. */
function changeMaker(
  router: RouterClient,
  token: string,
  spaceId: string,
  from: Date,
): () => Promise<void> {
  const slot = {
    startAt: new Date(from.getTime() + DAY_MS).toISOString(),
    endAt: new Date(from.getTime() + DAY_MS + 3_600_000).toISOString(),
  };
  let blockId: string | undefined;
  return async () => {
    if (blockId !== undefined) {
      await router.request(UNBLOCK, { id: blockId }, token);
      blockId = undefined;
      return;
    }
    const input = { spaceId, slot, reason: 'Bench', idempotencyKey: randomUUID() };
    type Blocked = { blockSlot: { block?: { id: string }; message?: string } };
    const { blockSlot } = await router.request<Blocked>(BLOCK, { input }, token);
    blockId = blockSlot.block?.id;
    if (blockId === undefined) throw new Error(`No block was made: ${blockSlot.message}`);
  };
}

async function measureChange(watchers: Watchers, make: () => Promise<void>): Promise<Change> {
  const receiving = watchers.next();
  const requestedAt = performance.now();
  const [respondedAt, receivedAt] = await Promise.all([
    make().then(() => performance.now()),
    receiving,
  ]);
  return { requestedAt, respondedAt, receivedAt };
}

/** How often book has computed free slots for live subscribers. */
async function readComputations({ instance }: System): Promise<number> {
  const response = await fetch(`${instance.services.book?.url}/metrics`, {
    headers: { authorization: `Bearer ${METRICS_TOKEN}` },
  });
  const [, count] =
    /^spacerent_free_slots_computed_total(?:\{[^}]*\})? (\d+)/m.exec(await response.text()) ?? [];
  if (count === undefined) throw new Error('Book shows no number of computations.');
  return Number(count);
}
