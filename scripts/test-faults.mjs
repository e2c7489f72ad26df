// npm run test:faults: installs, builds what is out of date, and injects faults.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm run test:faults -- [options]

Starts two copies of every service with a proxy on every connection between services and servers.
Customers book and cancel while faults are injected. Then the faults are healed, and when no work is
left, every invariant of the databases and of the customers' responses is checked. All random choices
depend on a seed; a failed run prints the command that repeats it, and keeps its data and logs.

  --seed N        the seed of the first run (default: random); the seed of each next run is one higher
  --runs N        the number of runs (default 10); each takes about 10 s
  --profile NAME  embedded (default), servers (needs redis-server and mariadbd) or both
  --seconds N     how long customers book in each run (default 4)
  --only FAULT    inject only this fault; an unknown name prints the list of faults
  --keep          keep data and logs of passed runs, too
  --json FILE     write totals and runs as JSON

Exit code 1 when an invariant is violated.`;

await runBuilt(help, 'tests/faults/main.js');
