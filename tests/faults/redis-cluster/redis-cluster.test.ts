import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runProgram } from '../run-program.ts';
import { isInstalled } from '../system/programs.ts';

/** Ends a run that hangs: a minute long on an idle machine, it took five with thirty runnable processes on two cores. */
const TIMEOUT_MS = 800_000;

const isRunnable = ['haproxy', 'redis-server', 'mariadbd'].every(isInstalled);

describe('npm run bench -- redis-cluster', () => {
  (isRunnable ? test : test.skip)(
    'a Redis Cluster whose slots are moved and whose master is killed loses and doubles nothing, and fails no request',
    async () => {
      const out = join(tmpdir(), `spacerent-redis-cluster-${process.pid}.json`);
      const size = ['--subscribers', '10', '--readers', '3', '--rest', '2'];
      const { code, output } = await run('--short', ...size, '--out', out);
      rmSync(out, { force: true });
      expect(`${output}\nended with code ${code}`).toMatch(/ended with code 0$/);
      expect(output).toMatch(/its replica took over after/);
      expect(output).toMatch(/\d+ requests, 0 failed\.\n/);
      expect(output).toContain('; 0 bookings with a version missed or repeated, 0 failed');
      expect(output).toContain('Invariants violated: 0.');
    },
    TIMEOUT_MS + 30_000,
  );

  test('the command rejects a wrong number with a sentence', async () => {
    const { code, output } = await run('--subscribers', 'many');
    expect(output).toBe('--subscribers must be a whole number from 1 to 2000, not "many".\n');
    expect(code).toBe(1);
  });
});

const run = (...args: string[]) =>
  runProgram('dist/tests/faults/redis-cluster/main.js', args, TIMEOUT_MS);
