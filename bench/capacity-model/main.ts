import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { MAX_UNCONFIRMED_PER_CLIENT } from '../booking/booking-load.ts';
import { readMachine } from '../measurement/machine.ts';
import { log, measureSystem } from '../system/measure-system.ts';
import { routerClient } from '../system/router-client.ts';
import { listSpaces, slotDealer } from '../system/spaces.ts';
import type { System } from '../system/system.ts';
import { cpuPerBooking, onOneMachine, toBookingModel, toRoute } from './booking-model.ts';
import { type MeasuredLoad, measureLoad } from './measured-load.ts';
import { type Options, readOptions } from './options.ts';
import { MAX_DIFFERENCE, type Results, toReport } from './report.ts';
import { simulate } from './simulation.ts';
import { toSize } from './sizes.ts';

const FEW_CLIENTS = 4;
/** V8 optimizes a function only after some hundred calls. */
const WARM_UP_SECONDS = 15;
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
  await router.close();

  const startedAt = new Date().toISOString();
  const machine = readMachine();
  const { model, fixedMs } = toBookingModel(single, few);
  const cores = machine.cpus * (1 - many.usedByOthers) - fixedMs / 1_000;
  const simulated = simulate(
    toRoute(model, onOneMachine(cores)),
    { clients, maxUnconfirmedPerClient: MAX_UNCONFIRMED_PER_CLIENT },
    { seconds, warmUpSeconds: 5, random: Math.random },
  );
  const measured = many.bookings.confirmedPerSecond;
  const difference = (simulated.perSecond - measured) / measured;
  const isReproduced = Math.abs(difference) <= MAX_DIFFERENCE;
  // For the sizes: the highest load shows best what batches save.
  const atLoad = { ...model, cpuMs: cpuPerBooking(many) };
  const results: Results = {
    startedAt,
    options,
    machine,
    loads: [single, few, many],
    model,
    atLoad,
    cores,
    simulated,
    difference,
    sizes: isReproduced
      ? BOOKINGS_PER_YEAR.map((each) =>
          toSize(each, { peak: options.peak, model: atLoad, measured: many }),
        )
      : [],
  };
  if (!isReproduced) process.exitCode = 1;
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify(results, undefined, 2)}\n`);
  console.log(`${toReport(results)}\n\nThe results are in ${options.out}`);
}
