// npm run test:e2e: whole systems, used through their API.
import { jestHelp, runTests, serversHelp } from './testing/run-tests.mjs';

const help = `Usage: npm run test:e2e [-- jest options]

Runs the tests of whole systems: one of each profile is started and used through its API; others are started
by the tests themselves, and broken. Without options: several runs of Jest, as many at a time as keep the cores busy.
${serversHelp}
${jestHelp}

For example: npm run test:e2e -- tests/live-status`;

await runTests(help, 'npm run test:e2e', {
  parts: [
    { name: 'e2e', projects: ['e2e'], perProfile: true },
    { name: 'faults', projects: ['faults'], shards: 6, load: true },
  ],
});
