import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runProgram } from '../run-program.ts';
import { isInstalled } from '../system/programs.ts';

/** Ends a run that hangs: next to other tests on two cores, one takes minutes. */
const TIMEOUT_MS = 400_000;

const isRunnable = ['haproxy', 'redis-server', 'mariadbd'].every(isInstalled);

describe('npm run bench -- rollout', () => {
  (isRunnable ? test : test.skip)(
    'a rolling restart behind a load balancer fails no request, and no subscriber misses a version',
    async () => {
      const out = join(tmpdir(), `spacerent-rollout-${process.pid}.json`);
      const size = ['--requests', '300', '--subscribers', '10', '--readers', '3', '--drain', '3'];
      const { code, output } = await rollout(process.env, '--short', ...size, '--out', out);
      rmSync(out, { force: true });
      expect(output).toMatch(/requests \(\d+ while a process was replaced\), 0 failed/);
      expect(output).toContain('; 0 bookings with a version missed or repeated,');
      expect(output).toContain('Invariants violated: 0.');
      expect(code).toBe(0);
    },
    TIMEOUT_MS + 30_000,
  );

  test('the command names the programs that are missing and their packages before it starts anything', async () => {
    const { code, output } = await rollout({ ...process.env, PATH: '/nowhere' }, '--short');
    expect(code).toBe(1);
    expect(output).toMatch(
      /^This needs redis-server.* not installed on this machine\. On Debian: apt install redis-server.*\n$/,
    );
  });
});

const rollout = (environment: NodeJS.ProcessEnv, ...args: string[]) =>
  runProgram('dist/tests/faults/rollout/main.js', args, TIMEOUT_MS, environment);
