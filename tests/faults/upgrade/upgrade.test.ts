import { spawn } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { projectFile } from '#platform/config/project.ts';

/** Ends a run that hangs: beside other tests on two cores, one takes up to six minutes. */
const TIMEOUT_MS = 600_000;

describe('npm run test:upgrade', () => {
  test(
    'an upgrade and a rollback under load lose, duplicate and park nothing',
    async () => {
      const { code, output } = await upgrade('--short', '--seed', '7');
      expect(`${output}\nended with code ${code}`).toMatch(/ended with code 0$/);
      expect(output).toContain('lost 0, duplicated 0, unexpected 0');
    },
    TIMEOUT_MS + 30_000,
  );

  test('the upgrade command rejects an unknown profile', async () => {
    const { code, output } = await upgrade('--profile', 'cluster');
    expect(output).toContain('--profile must be embedded, servers or both, not "cluster".');
    expect(code).toBe(1);
  });
});

async function upgrade(...args: string[]): Promise<{ code: number | null; output: string }> {
  // Jest's options are not meant for the program.
  const { NODE_OPTIONS, ...env } = process.env;
  const program = projectFile('dist/tests/faults/upgrade/main.js');
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
  // After SIGTERM the program stops its servers and reports its progress.
  const timer = setTimeout(() => child.kill('SIGTERM'), TIMEOUT_MS);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return { code, output };
}
