// npm run test:upgrade: installs, builds what is out of date, and upgrades the baseline to this version.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm run test:upgrade -- [options]

Builds the version that contracts/baseline/commit names, starts it, and lets customers book
and cancel while it is upgraded to this version process by process, rolled back, and upgraded again,
all on the same databases. Then it checks every invariant in the databases and against what the
customers were answered: nothing lost, doubled or parked, no process ended by itself, no version met a
schema that it does not know, and requests failed only while a process was exchanged.
Takes some minutes for each profile.

  --profile NAME  embedded (default), servers (needs redis-server and mariadbd) or both
  --seed N        what the customers do (default: any)
  --short         roll back and upgrade again with all copies of a service at once
  --keep          keep data and logs, also when all is well

Ends with code 1 when something is wrong. It needs git and the baseline's commit: in a shallow clone
run "git fetch --unshallow" first.`;

await runBuilt(help, 'tests/faults/upgrade/main.js');
