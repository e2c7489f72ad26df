// npm run test:integration: parts of the system on real databases and queues.
import { jestHelp, runTests, serversHelp } from './testing/run-tests.mjs';

const help = `Usage: npm run test:integration [-- jest options]

Runs the tests of single parts (stores, consumers, the relay, the router's admission …) on real servers, which
it starts: PostgreSQL from npm, and those of the servers profile.
${serversHelp}
${jestHelp}

For example: npm run test:integration -- platform/test/relay`;

await runTests(help, 'npm run test:integration', {
  parts: [{ name: 'integration', projects: ['integration'] }],
});
