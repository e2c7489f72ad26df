// npm run dev: npm start, built and started again whenever a source changes.

import { runCommand } from './command.mjs';
import { startWatching } from './dev/watch.mjs';

const help = `Usage: npm run dev

Does what "npm start" does, and watches the sources: a change is compiled (a changed schema is composed, too),
and everything is stopped and started again on the same data. What does not compile is shown, and the
version before it goes on. Stop it with Ctrl-C.

The environment is that of "npm start": see npm start -- --help. A test that is run again on each change:
  npm run test:unit -- --watch subgraphs/book`;

await runCommand(help, startWatching);
