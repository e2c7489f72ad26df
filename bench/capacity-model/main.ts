import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readMachine } from '../measurement/machine.ts';
import { log, measureSystem } from '../system/measure-system.ts';
import { routerClient } from '../system/router-client.ts';
import { listSpaces, slotDealer } from '../system/spaces.ts';
import type { System } from '../system/system.ts';
import { onOneMachine, toBookingModel, toRoute } from './booking-model.ts';
import { type MeasuredLoad, measureIdle, measureLoad } from './measured-load.ts';
import { type Options, readOptions } from './options.ts';
import { MAX_DIFFERENCE, type Results, toReport } from './report.ts';
import { simulate } from './simulation.ts';
import { toSize } from './sizes.ts';

const FEW_CLIENTS = 4;
/** V8 optimizes a function only after some hundred calls. */
const WARM_UP_SECONDS = 15;
const MAX_UNCONFIRMED_PER_CLIENT = 4;
const BOOKINGS_PER_YEAR = [1e6, 1e8, 1e9];

await measureSystem(readOptions, measureAll);

async function measureAll(system: System, options: Options): Promise<void> {
  const { seconds, clients } = options;
  const router = routerClient(system.url, clients * 2);
  const spaceIds = await listSpaces(router, system.postgresUrl('book'));
  const tokens = await Promise.all(
    Array.from({ length: clients }, (_, n) => router.tokenFor(`customer-${n}`, 'customer')),
  );
  const load = { router, tokens, nextSlot: slotDealer(spaceIds) };
  const measure = async (count: number, warmUpSeconds: number): Promise<MeasuredLoad> => {
    log(`${count} ${count === 1 ? 'client books' : 'clients book'} for ${seconds} s`);
    return measureLoad(system, load, { clients: count, warmUpSeconds, seconds });
  };

  await measure(FEW_CLIENTS, WARM_UP_SECONDS);
  const single = await measure(1, 2);
  const few = await measure(FEW_CLIENTS, 2);
  const many = await measure(clients, 5);
  log(`no client books for ${seconds} s`);
  const idle = await measureIdle(system, seconds);
  await router.close();

  const startedAt = new Date().toISOString();
  const machine = readMachine();
  const model = toBookingModel(idle, { single, few });
  const { 'all other programs': _others, ...ownIdle } = idle;
  const idleCores = Object.values(ownIdle).reduce((sum, ms) => sum + ms, 0) / 1_000;
  const cores = machine.cpus * (1 - many.usedByOthers) - idleCores;
  const simulated = simulate(
    toRoute(model, onOneMachine(cores)),
    { clients, maxUnconfirmedPerClient: MAX_UNCONFIRMED_PER_CLIENT },
    { seconds, warmUpSeconds: 5, random: Math.random },
  );
  const measured = many.bookings.confirmedPerSecond;
  const difference = (simulated.perSecond - measured) / measured;
  const isReproduced = Math.abs(difference) <= MAX_DIFFERENCE;
  const results: Results = {
    startedAt,
    options,
    machine,
    loads: [single, few, many],
    model,
    cores,
    simulated,
    difference,
    sizes: isReproduced
      ? BOOKINGS_PER_YEAR.map((each) => toSize(each, { peak: options.peak, model, few }))
      : [],
  };
  if (!isReproduced) process.exitCode = 1;
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify(results, undefined, 2)}\n`);
  console.log(`${toReport(results)}\n\nThe results are in ${options.out}`);
}
