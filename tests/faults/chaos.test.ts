import { spawn } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { projectFile } from '#platform/config/project.ts';

/** Seeds whose faults are short and differ; each run takes about ten seconds. */
const FIRST_SEED: Record<string, number> = { embedded: 42, servers: 45 };
const RUNS = 5;
const TIMEOUT_MS = 150_000;

const profiles = (process.env.SPACERENT_TEST_PROFILES ?? 'embedded').split(',');

describe.each(profiles)('under faults (%s)', (profile) => {
  test(
    'no booking is lost, none doubled, none unexpected',
    async () => {
      const seed = String(FIRST_SEED[profile]);
      const args = ['--seed', seed, '--runs', String(RUNS), '--profile', profile];
      const { code, output } = await chaos(...args);
      expect(`${output}\nended with code ${code}`).toMatch(/ended with code 0$/);
      expect(output).toContain('lost 0, doubled 0, unexpected 0');
    },
    TIMEOUT_MS + 30_000,
  );
});

describe('the command line', () => {
  test.each([
    [['--runs', 'many'], '--runs must be a whole number from 1 to 100000, not "many".'],
    [['--profile', 'cluster'], '--profile must be embedded, servers or both, not "cluster".'],
    [['--only', 'fire'], '--only must name a fault, not "fire".'],
    [['--only', 'redis-full'], '--only: redis-full is for --profile servers, not for embedded.'],
  ])('says what is wrong with %p', async (args, sentence) => {
    const { code, output } = await chaos(...args);
    expect(output).toContain(sentence);
    expect(code).toBe(1);
  });
});

async function chaos(...args: string[]): Promise<{ code: number | null; output: string }> {
  // Jest's own options are not for the programs that it starts.
  const { NODE_OPTIONS, ...env } = process.env;
  const child = spawn(process.execPath, [projectFile('dist/tests/faults/main.js'), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  // It stops its servers and says how far it came.
  const late = setTimeout(() => child.kill('SIGTERM'), TIMEOUT_MS);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(late);
  return { code, output };
}
