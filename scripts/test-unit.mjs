// npm run test:unit: the tests that need neither a database nor a queue.
import { jestHelp, runTests } from './testing/run-tests.mjs';

const help = `Usage: npm run test:unit [-- jest options]

Runs the tests that start neither a server nor a process: the domain's rules, contracts, the router's own parts. Takes seconds.
${jestHelp}

For example: npm run test:unit -- subgraphs/book/test/opening-hours`;

await runTests(help, 'npm run test:unit', {
  parts: [{ name: 'unit', projects: ['unit'] }],
  startsServers: false,
});
