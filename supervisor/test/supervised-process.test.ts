import { spawn } from 'node:child_process';
import { afterEach, expect, test } from '@jest/globals';
import { until } from '../../tests/support/system.ts';
import { SupervisedProcess } from '../src/supervised-process.ts';

const IDLE = 'setInterval(() => {}, 1_000)';

let supervised: SupervisedProcess | undefined;

afterEach(() => supervised?.stop());

test('a process that does not respond several times in a row is killed and started again', async () => {
  const pids: number[] = [];
  const lines: string[] = [];
  const responses = [true, false, false, true, false, false];
  let hasHung = false;
  supervised = new SupervisedProcess({
    name: 'idle',
    spawn: () => spawn(process.execPath, ['-e', IDLE], { stdio: 'ignore' }),
    isReady: async () => true,
    liveness: {
      periodMs: 1,
      failures: 3,
      isAlive: async () => {
        if (pids.length > 1) return true;
        const isAlive = responses.shift() ?? false;
        hasHung ||= responses.length === 0;
        // A failure alone, or two, are no reason.
        if (!hasHung) expect(lines).toEqual([]);
        return isAlive;
      },
    },
    stop: { signal: 'SIGTERM', graceMs: 5_000, thenSignal: 'SIGKILL' },
    onChange: (pid) => {
      if (pid !== undefined) pids.push(pid);
    },
    say: (line) => lines.push(line),
  });
  await supervised.start();
  await until('it runs again', () => lines.at(-1)?.startsWith('idle is ready again'));
  const [first, second] = pids;
  expect(second).not.toBe(first);
  expect(lines).toEqual([
    `idle (process ${first}) does not respond any more: it is killed.`,
    'idle exited (SIGKILL). It is restarted in 200 ms.',
    `idle is ready again (process ${second}).`,
  ]);
});
