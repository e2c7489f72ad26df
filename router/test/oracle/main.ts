import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { wholeNumber } from '../../../bench/options.ts';
import { randomMutations, randomRequest } from './operations.ts';
import { Oracle, type Request } from './oracle.ts';

/** How often the progress is printed. */
const PROGRESS_MS = 30_000;
/** One of so many seeds is a series of mutations. */
const MUTATION_INTERVAL = 8;
const MAX_SEED = 2_000_000_000;

interface Options {
  /** Of the first operation; the seed of each next one is one higher. */
  seed: number;
  minutes: number;
  seeds: number;
}

await run(readOptions(process.argv.slice(2)));

/** Throws an error whose message explains the first invalid option. */
function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000_000)) },
      minutes: { type: 'string', default: '1' },
      seeds: { type: 'string', default: String(MAX_SEED) },
    },
  });
  return {
    seed: wholeNumber('--seed', values.seed, 0, MAX_SEED),
    minutes: wholeNumber('--minutes', values.minutes, 1, 10_000),
    seeds: wholeNumber('--seeds', values.seeds, 1, MAX_SEED),
  };
}

async function run(options: Options): Promise<void> {
  const oracle = await Oracle.start();
  try {
    await compareSeeds(oracle, options);
  } finally {
    await oracle.stop();
  }
}

/** Throws an error with the first difference. */
async function compareSeeds(
  oracle: Oracle,
  { seed: first, minutes, seeds }: Options,
): Promise<void> {
  const random = {
    query: fc.noBias(randomRequest(oracle.schema)).map((request) => [request]),
    mutation: fc.noBias(randomMutations(oracle.schema)),
  };
  const totals = { same: 0, refused: 0, invalid: 0 };
  const start = Date.now();
  let printedAt = start;
  let seed = first;
  console.log(`The first seed is ${first}.`);
  const report = () => {
    const seconds = Math.round((Date.now() - start) / 1000);
    console.log(
      `${totals.same} operations have the right answer, ${totals.refused} are refused, ${totals.invalid} were not valid; ${seconds} s, next seed ${seed}`,
    );
  };
  for (; seed < first + seeds && Date.now() < start + minutes * 60_000; seed += 1) {
    const kind = seed % MUTATION_INTERVAL === 0 ? 'mutation' : 'query';
    const [requests] = fc.sample(random[kind], { seed, numRuns: 1 }) as [Request[]];
    const comparable = requests.filter((request) => oracle.isComparable(request));
    totals.invalid += requests.length - comparable.length;
    const { same, refused, difference } = await oracle.compareAll(comparable);
    totals.same += same;
    totals.refused += refused;
    if (difference) {
      report();
      throw new Error(
        `${difference}\n\nRepeat it: npm run test:oracle -- --seed ${seed} --seeds 1`,
      );
    }
    if (Date.now() > printedAt + PROGRESS_MS) {
      printedAt = Date.now();
      report();
    }
  }
  report();
}
