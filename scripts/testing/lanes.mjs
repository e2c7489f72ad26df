// Runs Jest several times, as many at a time as the machine can run, and reports on all of them.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../command.mjs';

const JEST = join(root, 'node_modules/jest/bin/jest.js');
/** Each starts servers and processes of its own, which keep a core busy. */
const MAX_LANES_AT_A_TIME = 2;

/**
 * One run of Jest with its arguments; `profiles` are joined by commas.
 *
 * @typedef {{ name: string, profiles: string, args: string[] }} Lane
 */

/** @typedef {{ code: number, seconds: number }} Result */

/**
 * Runs the lanes, in their order. Resolves with the exit code: 0 when all passed. Of several lanes, each line of
 * output begins with the lane's name.
 *
 * @param {Lane[]} lanes
 */
export async function runLanes(lanes) {
  /** @type {Set<import('node:child_process').ChildProcess>} */
  const running = new Set();
  // Ctrl-C reaches Jest by itself; a signal to this process alone is passed on.
  process.on('SIGINT', () => {});
  let isStopped = false;
  process.on('SIGTERM', () => {
    isStopped = true;
    for (const child of running) child.kill('SIGTERM');
  });

  const waiting = [...lanes];
  /** @type {Map<string, Result>} */
  const results = new Map();
  const work = async () => {
    for (let lane = waiting.shift(); lane && !isStopped; lane = waiting.shift()) {
      const began = performance.now();
      const code = await runJest(lane, lanes.length > 1, running);
      results.set(lane.name, { code, seconds: (performance.now() - began) / 1_000 });
    }
  };
  await Promise.all(Array.from({ length: MAX_LANES_AT_A_TIME }, work));

  if (lanes.length > 1)
    console.log(`\n${lanes.map((lane) => toSummary(lane, results)).join('\n')}`);
  return lanes.every(({ name }) => results.get(name)?.code === 0) ? 0 : 1;
}

/**
 * @param {Lane} lane
 * @param {Map<string, Result>} results
 */
function toSummary({ name }, results) {
  const result = results.get(name);
  if (!result) return `- ${name}: not run`;
  return `${result.code === 0 ? '✓' : '✗'} ${name} (${result.seconds.toFixed(0)} s)`;
}

/**
 * Resolves with the exit code.
 *
 * @param {Lane} lane
 * @param {boolean} isOneOfSeveral
 * @param {Set<import('node:child_process').ChildProcess>} running
 * @returns {Promise<number>}
 */
function runJest({ name, profiles, args }, isOneOfSeveral, running) {
  const nodeOptions = '--experimental-vm-modules --disable-warning=ExperimentalWarning';
  const child = spawn(process.execPath, [JEST, ...args], {
    cwd: root,
    stdio: isOneOfSeveral ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    env: {
      ...process.env,
      SPACERENT_TEST_PROFILES: profiles,
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${nodeOptions}`.trim(),
    },
  });
  running.add(child);
  if (child.stdout && child.stderr) {
    writeByLine(child.stdout, process.stdout, name);
    writeByLine(child.stderr, process.stderr, name);
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve(signal ? 1 : (code ?? 1));
    });
  });
}

/**
 * Whole lines, so that those of two lanes never mix.
 *
 * @param {import('node:stream').Readable} from
 * @param {NodeJS.WritableStream} to
 * @param {string} name
 */
function writeByLine(from, to, name) {
  let rest = '';
  from.setEncoding('utf8');
  from.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) to.write(`[${name}] ${line}\n`);
  });
  from.on('end', () => {
    if (rest !== '') to.write(`[${name}] ${rest}\n`);
  });
}
