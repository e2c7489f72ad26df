// npm run test:faults: installs, builds what is out of date, and injects faults.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm run test:faults -- [options]

Starts spacerent with two copies of its services and a proxy on every line between them and their
servers, lets customers book and cancel while faults come, heals, waits until all is quiet, and
checks every invariant in the databases and against what the customers were told. A seed decides
everything random; a failing run says how to see it again, and keeps its data and logs.

  --seed N        the first run's seed (default: any); each next run's is one higher
  --runs N        how many runs (default 10); each takes about 10 s
  --profile NAME  embedded (default), servers (needs redis-server and mariadbd) or both
  --seconds N     how long customers book in each run (default 4)
  --only FAULT    this fault alone; an unknown name lists them all
  --keep          keep data and logs, also when all is well
  --json FILE     write totals and runs as JSON

Ends with code 1 when an invariant is broken.`;

await runBuilt(help, 'tests/faults/main.js');
