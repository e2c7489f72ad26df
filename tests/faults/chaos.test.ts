import { describe, expect, test } from '@jest/globals';
import { runProgram } from './run-program.ts';

/** From these seeds on, the faults are short and different. */
const FIRST_SEEDS: Record<string, number> = { embedded: 42, servers: 45 };
const RUNS = 5;
/** Ends runs that hang: a run takes about ten seconds, and beside other work on two cores three times as long. */
const TIMEOUT_MS = 600_000;

const profiles = (process.env.SPACERENT_TEST_PROFILES ?? 'embedded').split(',');

describe.each(profiles)('npm run test:faults (%s)', (profile) => {
  test(
    'runs with faults lose and duplicate nothing, and create nothing unexpected',
    async () => {
      const seed = String(FIRST_SEEDS[profile]);
      const args = ['--seed', seed, '--runs', String(RUNS), '--profile', profile];
      const { code, output } = await runFaultTest(...args);
      expect(`${output}\nended with code ${code}`).toMatch(/ended with code 0$/);
      expect(output).toContain('lost 0, duplicated 0, unexpected 0');
    },
    TIMEOUT_MS + 30_000,
  );
});

describe('npm run test:faults', () => {
  test.each([
    [['--runs', 'many'], '--runs must be a whole number from 1 to 100000, not "many".'],
    [['--profile', 'cluster'], '--profile must be embedded, servers or both, not "cluster".'],
    [['--only', 'fire'], '--only must name a fault, not "fire".'],
    [['--only', 'redis-full'], '--only: redis-full is for --profile servers, not for embedded.'],
  ])('the fault test command rejects %p', async (args, message) => {
    const { code, output } = await runFaultTest(...args);
    expect(output).toContain(message);
    expect(code).toBe(1);
  });
});

const runFaultTest = (...args: string[]) =>
  runProgram('dist/tests/faults/main.js', args, TIMEOUT_MS);
