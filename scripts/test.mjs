// npm test: installs, builds, finds out which servers this machine has, and runs Jest.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { asksForHelp, installAndBuild } from './run-built.mjs';

const help = `Usage: npm test [-- jest options]

Runs every test. Tests of the servers profile start their own redis-server and mariadbd and are
left out, with a line saying so, on a machine that lacks one of them.

  SPACERENT_TEST_ALL=1  fail instead of leaving tests out (also when CI is set)

For example: npm test -- subgraphs/book --testNamePattern "overlap"`;

const root = join(import.meta.dirname ?? '.', '..');

if (asksForHelp()) console.log(help);
else await test();

async function test() {
  await installAndBuild();
  try {
    const profiles = chooseProfiles();
    process.exitCode = await runJest(profiles);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
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

function runJest(profiles) {
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const nodeOptions = '--experimental-vm-modules --disable-warning=ExperimentalWarning';
  const child = spawn(process.execPath, [jest, ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      SPACERENT_TEST_PROFILES: profiles,
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${nodeOptions}`.trim(),
    },
  });
  // Ctrl-C reaches Jest by itself; a signal to this process alone is handed on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ? 1 : code));
  });
}
