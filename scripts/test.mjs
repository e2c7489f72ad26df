// npm test: every test.
import { jestHelp, runTests, serversHelp } from './testing/run-tests.mjs';

const help = `Usage: npm test [-- jest options]

Runs every test, in several runs of Jest, as many at a time as keep the cores busy: the system of each profile, the
parts of it, and the faults are tested apart. With Jest's own options, such as a path, one run of Jest has both profiles.
${serversHelp}
${jestHelp}

Parts of it: npm run test:unit, test:integration, test:e2e.
For example: npm test -- subgraphs/book --testNamePattern "overlap"`;

await runTests(help, 'npm test', {
  parts: [
    { name: 'e2e', projects: ['e2e'], perProfile: true },
    { name: 'faults', projects: ['faults'], shards: 6, load: true },
    { name: 'parts', projects: ['unit', 'integration'], shards: 6 },
  ],
});
