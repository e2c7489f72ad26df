import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { projectFile } from '#platform/config/project.ts';
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
      // Not its status: on a busy machine it may say that mypage showed a new booking late.
      const { output } = await rollout(process.env, '--short', ...size, '--out', out);
      rmSync(out, { force: true });
      expect(output).toMatch(/requests \(\d+ while a process was replaced\), 0 failed/);
      expect(output).toContain('; 0 bookings with a version missed or repeated,');
      expect(output).toContain('Invariants violated: 0.');
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

async function rollout(
  { NODE_OPTIONS, ...env }: NodeJS.ProcessEnv,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  const program = projectFile('dist/tests/faults/rollout/main.js');
  const child = spawn(process.execPath, [program, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk;
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  // After SIGTERM the program stops its servers.
  const timer = setTimeout(() => child.kill('SIGTERM'), TIMEOUT_MS);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return { code, output };
}
