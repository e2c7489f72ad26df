// How much of the machine's CPU time is left.
import { cpus } from 'node:os';

/**
 * Begins to watch. The result returns how many cores were idle, on average, in the last seconds; 0 until it has
 * watched for as long. It is to be called about once a second.
 *
 * @returns {(seconds: number) => number}
 */
export function watchIdleCores() {
  /** @type {{ at: number, idleMs: number }[]} */
  const samples = [sample()];
  return (seconds) => {
    const now = sample();
    samples.push(now);
    const from = samples.findLastIndex(({ at }) => now.at - at >= seconds * 1_000);
    if (from < 0) return 0;
    samples.splice(0, from);
    const [first = now] = samples;
    return (now.idleMs - first.idleMs) / (now.at - first.at);
  };
}

function sample() {
  return {
    at: performance.now(),
    idleMs: cpus().reduce((sum, { times }) => sum + times.idle, 0),
  };
}
