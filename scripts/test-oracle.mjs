// npm run test:oracle: installs, builds what is out of date, and compares the router with a plain schema.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm run test:oracle -- [options]

Compares the router's executor, before a small federation, with one plain schema over the same data: random
operations with aliases that take the names of other fields, fragments, conditions, and series of mutations.
Stops at the first difference and prints the operation, its smallest part that differs, both answers, and the
command that repeats it. npm test does the same with a few hundred operations.

  --minutes N  how long to compare (default 1)
  --seed N     the seed of the first operation (default: random); the seed of each next one is one higher
  --seeds N    the number of seeds (default: as many as there is time for)

Exit code 1 when an answer differs.`;

await runBuilt(help, 'router/test/oracle/main.js');
