import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {{ cwd?: string, env?: NodeJS.ProcessEnv }} RunOptions */

/** @type {Map<import('node:child_process').ChildProcess, Promise<unknown>>} */
const running = new Map();

/**
 * Runs a program and resolves with its output; rejects with the end of the output if it fails.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 */
export async function run(command, args, options = {}) {
  const { code, output } = await tryRun(command, args, options);
  if (code === 0) return output;
  const program = [command, ...args].join(' ').slice(0, 200);
  throw new Error(`"${program}" failed:\n${lastLines(output, 40)}`);
}

/**
 * Runs a program; `code` is null after a signal.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number | null, output: string }>}
 */
export function tryRun(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      output += chunk;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
    running.set(child, new Promise((ended) => child.once('close', ended)));
    child.once('close', () => running.delete(child));
  });
}

/** Stops the programs of an interrupted step, so that nothing writes during the clean-up. */
export async function endRunning() {
  for (const child of running.keys()) child.kill('SIGTERM');
  await Promise.all(running.values());
}

/**
 * Calls `check` every 250 ms until it resolves with a value; after `seconds` it throws `failure()`.
 *
 * @template T
 * @param {number} seconds
 * @param {() => Promise<T | undefined>} check
 * @param {() => string | Promise<string>} failure
 * @returns {Promise<T>}
 */
export async function eventually(seconds, check, failure) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const result = await check();
    if (result !== undefined) return result;
    if (performance.now() > end) throw new Error(await failure());
    await sleep(250);
  }
}

/**
 * @param {string} text
 * @param {number} count
 */
export function lastLines(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/**
 * Resolves with the result of `work`, and prints how long it took.
 *
 * @template T
 * @param {string} done
 * @param {() => Promise<T>} work
 */
export async function timed(done, work) {
  const started = performance.now();
  const result = await work();
  console.log(`✓ ${done} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return result;
}
