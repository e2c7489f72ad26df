// npm run test:upgrade: installs, builds what is out of date, and upgrades the baseline to this version.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm run test:upgrade -- [options]

Builds the baseline, the version that contracts/baseline/commit names, and starts it. While customers
book and cancel, it is upgraded to this version process by process, rolled back, and upgraded again,
all on the same databases. Then every invariant of the databases and of the customers' responses is
checked: nothing is lost, duplicated or parked, no process ended unexpectedly, no version logged an
error about the schema, and requests failed only while a process was replaced.
Takes some minutes for each profile.

  --profile NAME  embedded (default), servers (needs redis-server and mariadbd) or both
  --seed N        the seed of the customers' random choices (default: random)
  --short         roll back and upgrade again with all copies of a service at once
  --keep          keep data and logs of a passed run, too

Exit code 1 when an invariant is violated. Needs git and the baseline's commit: in a shallow clone run
"git fetch --unshallow" first.`;

await runBuilt(help, 'tests/faults/upgrade/main.js');
