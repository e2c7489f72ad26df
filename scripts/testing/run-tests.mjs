// What npm test and its parts share: the build, the profiles, the seed, and the runs of Jest.
import { randomInt } from 'node:crypto';
import { runCommand } from '../command.mjs';
import { installAndBuild } from '../run-built.mjs';
import { runLanes } from './lanes.mjs';
import { chooseProfiles, reportMissingTools } from './profiles.mjs';

/** The part of a help text that is the same for each of them. */
export const jestHelp = `The order of the files and everything random follow from a seed, which is printed.

  --seed N  repeats the order and the random values of the run with that seed`;

/** The part of a help text on the requirements of the servers profile. */
export const serversHelp = `Tests of the servers profile start their own redis-server and mariadbd and are left out, with a line saying
so, on a machine that lacks one of them; so are tests of the alerts and dashboards without promtool and
prometheus, and of replicas without haproxy. With SPACERENT_TEST_ALL=1 (also when CI is set) that is an error.`;

/**
 * A part of the tests. `perProfile`: each profile has a run of Jest of its own. `shards`: the number of runs of Jest
 * that share the files: short ones, because how many run at a time is decided at the start of each. `load`: its tests
 * put systems of many processes under load.
 *
 * @typedef {'unit' | 'integration' | 'e2e' | 'faults'} Project
 * @typedef {{ name: string, projects: Project[], perProfile?: boolean, shards?: number, load?: boolean }} Part
 * @typedef {import('./lanes.mjs').Lane} Lane
 */

/**
 * Runs the parts, each in runs of Jest of its own, in their order. With options of Jest, such as a path, one run has all
 * of them. Parts that start no servers share nothing, and run on every core.
 *
 * @param {string} help
 * @param {string} command the command line that repeats the run, without the seed
 * @param {{ parts: Part[], startsServers?: boolean }} what
 */
export async function runTests(help, command, { parts, startsServers = true }) {
  await runCommand(help, async (args) => {
    await installAndBuild();
    const profiles = startsServers ? chooseProfiles() : 'embedded';
    if (startsServers) reportMissingTools();
    const workers = startsServers ? [] : ['--maxWorkers=100%'];
    const { seed, rest } = readSeed(args);
    const options = [...workers, '--seed', seed ?? String(randomInt(2 ** 31))];
    if (rest.length > 0) {
      process.exitCode = await runLanes([selectedTests(parts, profiles, rest, options)]);
      return;
    }
    if (seed === undefined)
      console.log(`To repeat this run: ${command} -- --seed ${options.at(-1)}`);
    process.exitCode = await runLanes(parts.flatMap((part) => toLanes(part, profiles, options)));
  });
}

/**
 * The seed that the arguments name, and all other arguments.
 *
 * @param {string[]} args
 * @returns {{ seed: string | undefined, rest: string[] }}
 */
function readSeed(args) {
  const at = args.findIndex((each) => /^--seed(=|$)/.test(each));
  if (at < 0) return { seed: undefined, rest: args };
  const inline = args[at]?.split('=')[1];
  const length = inline === undefined ? 2 : 1;
  return { seed: inline ?? args[at + 1], rest: args.toSpliced(at, length) };
}

/**
 * @param {Part[]} parts
 * @param {string} profiles
 * @param {string[]} args
 * @param {string[]} options
 * @returns {Lane}
 */
function selectedTests(parts, profiles, args, options) {
  // Behind the arguments: Jest would read a path that follows as another project.
  const projects = args.includes('--selectProjects')
    ? []
    : ['--selectProjects', ...parts.flatMap((part) => part.projects)];
  return { name: 'tests', profiles, args: [...args, ...projects, ...options] };
}

/**
 * @param {Part} part
 * @param {string} profiles
 * @param {string[]} options
 * @returns {Lane[]}
 */
function toLanes({ name, projects, perProfile, shards = 1, load = false }, profiles, options) {
  const args = ['--selectProjects', ...projects, ...options];
  const lane = { name, profiles, load, args };
  if (perProfile) {
    // That of the servers takes longer.
    return profiles
      .split(',')
      .toReversed()
      .map((profile) => ({ ...lane, name: `${name}, ${profile}`, profiles: profile }));
  }
  if (shards === 1) return [lane];
  return Array.from({ length: shards }, (_, index) => `${index + 1}/${shards}`).map((shard) => ({
    ...lane,
    name: `${name}, ${shard}`,
    args: [...args, `--shard=${shard}`],
  }));
}
