import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CommandError } from '../command.mjs';

/** @type {[name: string, programs: string[]][]} */
const SERVERS = [
  ['redis-server', ['redis-server']],
  ['mariadbd', ['mariadbd', 'mysqld']],
];

/**
 * Programs that some tests run, apart from servers.
 *
 * @type {[program: string, package: string, tests: string][]}
 */
const TOOLS = [
  ['promtool', 'prometheus', 'alerts and dashboards'],
  ['prometheus', 'prometheus', 'alerts and dashboards'],
  ['haproxy', 'haproxy', 'replicas behind a load balancer'],
];

/**
 * Prints which tests are left out on this machine because a program that they run is missing, or throws where
 * everything is to run (CI, SPACERENT_TEST_ALL).
 */
export function reportMissingTools() {
  for (const [program, debianPackage, tests] of TOOLS) {
    if (isOnPath(program)) continue;
    const missing = `${program} (Debian's package ${debianPackage}) is missing on this machine`;
    if (areAllRequested()) throw new CommandError(`All tests are requested, but ${missing}.`);
    console.log(`Tests of ${tests} are left out because ${missing}.`);
  }
}

/**
 * The profiles whose tests can run on this machine, joined by commas. Prints what is left out, or throws where
 * everything is to run (CI, SPACERENT_TEST_ALL).
 */
export function chooseProfiles() {
  const missing = SERVERS.filter(([, names]) => !names.some(isOnPath));
  if (missing.length === 0) return 'embedded,servers';

  const names = missing.map(([name]) => name).join(' and ');
  const verb = missing.length === 1 ? 'is' : 'are';
  if (areAllRequested()) {
    throw new CommandError(
      `All tests are requested, but ${names} ${verb} missing on this machine.`,
    );
  }
  console.log(
    `Tests of the servers profile are left out because ${names} ${verb} missing on this machine.`,
  );
  return 'embedded';
}

function areAllRequested() {
  return isSet('CI') || isSet('SPACERENT_TEST_ALL');
}

/** @param {string} name */
function isSet(name) {
  return !['', '0', 'false'].includes(process.env[name] ?? '');
}

/**
 * Servers are installed in sbin folders, which an ordinary user's PATH often lacks.
 *
 * @param {string} name
 */
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
