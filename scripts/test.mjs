// npm test: installs, builds, finds out which servers this machine has, and runs Jest.
import { randomInt } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { asksForHelp, installAndBuild } from './run-built.mjs';
import { runLanes } from './test-lanes.mjs';

const help = `Usage: npm test [-- jest options]

Runs every test, two runs of Jest at a time: the system of each profile, the parts of it, and the
faults are tested apart. With Jest's own options, such as a path, one run of Jest has both profiles. Tests of
the servers profile start their own redis-server and mariadbd and are left out, with a line saying
so, on a machine that lacks one of them.

The order of the files and everything random follow from a seed, which is printed.

  --seed N              repeats the order and the random values of the run with that seed
  SPACERENT_TEST_ALL=1  fail instead of leaving tests out (also when CI is set)

For example: npm test -- subgraphs/book --testNamePattern "overlap"`;

/** Tests that start whole systems of their own and break them: they take longest, and mostly wait. */
const FAULTS = 'tests/faults/(upgrade/|chaos\\.|system/availability\\.)';

if (asksForHelp()) console.log(help);
else await test();

async function test() {
  await installAndBuild();
  try {
    process.exitCode = await runLanes(lanes(chooseProfiles(), process.argv.slice(2)));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

/** The runs of Jest that the arguments ask for. */
function lanes(profiles, args) {
  const at = args.findIndex((each) => /^--seed(=|$)/.test(each));
  if (at >= 0) {
    const isSeedAlone = args.length === (args[at].includes('=') ? 1 : 2);
    if (!isSeedAlone) return [{ name: 'tests', profiles, args }];
    return allLanes(profiles, args);
  }
  const seed = randomInt(2 ** 31);
  const seeded = ['--seed', String(seed)];
  if (args.length > 0) return [{ name: 'tests', profiles, args: [...args, ...seeded] }];
  console.log(`To repeat this run: npm test -- --seed ${seed}`);
  return allLanes(profiles, seeded);
}

/** Those that take longest first; the systems of the profiles know nothing of each other. */
function allLanes(profiles, args) {
  const ofParts = (name, ...which) => ({
    name,
    profiles,
    args: [...which, '--selectProjects', 'parts', ...args],
  });
  const [first, ...others] = profiles.split(',').map((profile) => ({
    name: `whole, ${profile}`,
    profiles: profile,
    args: ['--selectProjects', 'whole', ...args],
  }));
  return [
    ofParts('parts', '--testPathIgnorePatterns', FAULTS),
    first,
    ofParts('faults', '--testPathPatterns', FAULTS),
    ...others,
  ];
}

function chooseProfiles() {
  const missing = [
    ['redis-server', ['redis-server']],
    ['mariadbd', ['mariadbd', 'mysqld']],
  ].filter(([, names]) => !names.some(isOnPath));
  if (missing.length === 0) return 'embedded,servers';

  const names = missing.map(([name]) => name).join(' and ');
  const verb = missing.length === 1 ? 'is' : 'are';
  if (isSet('CI') || isSet('SPACERENT_TEST_ALL')) {
    throw new Error(`All tests are asked for, but ${names} ${verb} missing on this machine.`);
  }
  console.log(
    `Tests of the servers profile are left out because ${names} ${verb} missing on this machine.`,
  );
  return 'embedded';
}

function isSet(name) {
  return !['', '0', 'false'].includes(process.env[name] ?? '');
}

/** Servers live in sbin folders, which an ordinary user's PATH often lacks. */
function isOnPath(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
