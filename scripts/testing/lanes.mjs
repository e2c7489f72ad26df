// Runs Jest several times, as many at a time as the machine can run, and reports on all of them.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { root } from '../command.mjs';
import { readFailures } from './failures.mjs';
import { watchIdleCores } from './idle-cores.mjs';

const JEST = join(root, 'node_modules/jest/bin/jest.js');
/** Each needs up to 2 GB of memory with the servers that it starts. */
const MAX_LANES_AT_A_TIME = Math.min(4, Math.ceil(availableParallelism() * 1.5));
/**
 * A further lane is started when as much of the cores was idle. Without idle cores it would not end sooner, and time
 * limits of the tests of all lanes could run out.
 */
const IDLE_CORES_FOR_A_LANE = 0.5;
/**
 * For a lane that puts systems under load, and for any lane alongside it: such a lane keeps two cores busy by itself, with
 * up to twenty processes, and a test alongside them gets a small part of a core.
 */
const IDLE_CORES_FOR_LOAD = 2;
const IDLE_SECONDS = 45;

/**
 * One run of Jest with its arguments; `profiles` are joined by commas. Of the lanes with `load`, whose tests put systems
 * of many processes under load, one runs at a time.
 *
 * @typedef {{ name: string, profiles: string, args: string[], load?: boolean }} Lane
 */

/** @typedef {{ code: number, seconds: number, failures: string[] }} Result */

/**
 * Runs the lanes, in their order. Resolves with the exit code: 0 when all passed. Of several lanes, each line of
 * output begins with the lane's name, and what failed is repeated at the end.
 *
 * @param {Lane[]} lanes
 */
export async function runLanes(lanes) {
  /** @type {Map<import('node:child_process').ChildProcess, Lane>} */
  const running = new Map();
  let isStopped = false;
  // Ctrl-C reaches Jest by itself; a signal to this process alone is passed on.
  process.on('SIGINT', () => {
    isStopped = true;
  });
  process.on('SIGTERM', () => {
    isStopped = true;
    for (const child of running.keys()) child.kill('SIGTERM');
  });

  const isOneOfSeveral = lanes.length > 1;
  const resultsFolder = await mkdtemp(join(tmpdir(), 'spacerent-tests-'));
  const waiting = [...lanes];
  /** @type {Map<string, Result>} */
  const results = new Map();
  let idleCores = watchIdleCores();
  /** @type {Set<Promise<void>>} */
  const working = new Set();
  while (waiting.length > 0 && !isStopped) {
    const lane = nextLane(waiting, [...running.values()], idleCores(IDLE_SECONDS));
    if (lane) {
      waiting.splice(waiting.indexOf(lane), 1);
      const work = runLane(lane).finally(() => working.delete(work));
      working.add(work);
      // What the new lane needs shows only now.
      idleCores = watchIdleCores();
    } else {
      await Promise.race([...working, wait(1_000)]);
    }
  }
  await Promise.all(working);
  await rm(resultsFolder, { recursive: true, force: true });

  /** @param {Lane} lane */
  async function runLane(lane) {
    const began = performance.now();
    const resultsFile = join(resultsFolder, `${lanes.indexOf(lane)}.json`);
    const withResults = [...lane.args, '--json', '--outputFile', resultsFile];
    const args = isOneOfSeveral ? withResults : lane.args;
    const code = await runJest({ ...lane, args }, isOneOfSeveral, running);
    const seconds = (performance.now() - began) / 1_000;
    results.set(lane.name, { code, seconds, failures: await readFailures(resultsFile) });
  }

  if (isOneOfSeveral) {
    const failures = lanes.flatMap(({ name }) => toReport(name, results.get(name)));
    const summaries = lanes.map(({ name }) => toSummary(name, results.get(name)));
    console.log(['', ...failures, ...summaries].join('\n'));
  }
  return lanes.every(({ name }) => results.get(name)?.code === 0) ? 0 : 1;
}

/**
 * The first of the waiting lanes that may start alongside the running ones.
 *
 * @param {readonly Lane[]} waiting
 * @param {readonly Lane[]} running
 * @param {number} idleCores how many cores were idle lately
 * @returns {Lane | undefined}
 */
export function nextLane(waiting, running, idleCores) {
  if (running.length === 0) return waiting[0];
  if (running.length >= MAX_LANES_AT_A_TIME) return undefined;
  const isUnderLoad = running.some(({ load }) => load);
  return waiting.find(({ load }) => {
    if (load && isUnderLoad) return false;
    return idleCores >= (load || isUnderLoad ? IDLE_CORES_FOR_LOAD : IDLE_CORES_FOR_A_LANE);
  });
}

/**
 * @param {string} name
 * @param {Result} [result]
 */
function toReport(name, result) {
  return (result?.failures ?? []).map((failure) => `[${name}] ${failure}\n`);
}

/**
 * @param {string} name
 * @param {Result} [result]
 */
function toSummary(name, result) {
  if (!result) return `- ${name}: not run`;
  return `${result.code === 0 ? '✓' : '✗'} ${name} (${result.seconds.toFixed(0)} s)`;
}

/**
 * Resolves with the exit code.
 *
 * @param {Lane} lane
 * @param {boolean} isOneOfSeveral
 * @param {Map<import('node:child_process').ChildProcess, Lane>} running
 * @returns {Promise<number>}
 */
function runJest(lane, isOneOfSeveral, running) {
  const { name, profiles, args } = lane;
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
  running.set(child, lane);
  if (child.stdout && child.stderr) {
    writeByLine(child.stdout, process.stdout, name);
    writeByLine(child.stderr, process.stderr, name);
  }
  return new Promise((resolve) => {
    const end = (/** @type {number} */ code) => {
      running.delete(child);
      resolve(code);
    };
    child.once('error', (error) => {
      console.error(`[${name}] Jest could not be started: ${error.message}`);
      end(1);
    });
    child.once('close', (code, signal) => end(signal ? 1 : (code ?? 1)));
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
