import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { root, toMessage } from '../command.mjs';
import { installAndBuild } from '../run-built.mjs';
import { findChanges, readSourceTimes } from './source-times.mjs';

const POLL_MS = 500;

/** Builds and starts, and again after each change; resolves when a signal ends it. */
export async function startWatching() {
  const supervisor = new RestartedSupervisor();
  let isStopped = false;
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      isStopped = true;
      // Ctrl-C reaches the supervisor by itself; a second signal would make it hurry.
      if (signal !== 'SIGINT') void supervisor.stop();
    });
  }
  let built = readSourceTimes();
  await installAndBuild();
  supervisor.start();
  while (!isStopped) {
    await pause(POLL_MS);
    const now = readSourceTimes();
    const changes = findChanges(built, now);
    // An editor or a checkout that is still writing: wait until one poll finds nothing new.
    if (changes.length === 0 || !(await isUnchanged(now))) continue;
    built = now;
    console.log(`\n${describe(changes)} changed.`);
    if (await rebuild(changes)) {
      await supervisor.stop();
      if (!isStopped) supervisor.start();
    }
  }
  process.exitCode = await supervisor.ended();
}

/** @param {Map<string, number>} times */
async function isUnchanged(times) {
  await pause(POLL_MS / 2);
  return findChanges(times, readSourceTimes()).length === 0;
}

/** @param {string[]} changes */
function describe(changes) {
  const [first, ...others] = changes;
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

/**
 * Resolves with whether the new version can start.
 *
 * @param {string[]} changes
 */
async function rebuild(changes) {
  try {
    await installAndBuild();
    const isSchema = changes.some((path) => /\.graphql$|^supergraph\.yaml$/.test(path));
    return !isSchema || (await runScript('scripts/compose.mjs')) === 0;
  } catch (error) {
    console.error(`${toMessage(error)}\nThe previous version keeps running.`);
    return false;
  }
}

/** @param {string} script */
function runScript(script) {
  const child = spawn(process.execPath, [script], { cwd: root, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
}

/** The process of `npm start`. One that ends by itself stays ended until the next change. */
class RestartedSupervisor {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  /** @type {Promise<number>} */
  #ended = Promise.resolve(0);

  start() {
    const child = spawn(process.execPath, ['dist/supervisor/src/main.js'], {
      cwd: root,
      stdio: 'inherit',
    });
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('error', () => resolve(1));
      child.once('exit', (code) => resolve(code ?? 1));
    });
  }

  /** Resolves with the exit code once the process has ended. */
  ended() {
    return this.#ended;
  }

  async stop() {
    this.#child?.kill('SIGTERM');
    await this.#ended;
  }
}
