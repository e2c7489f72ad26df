import { describe, expect, test } from '@jest/globals';
import { runProgram } from '../run-program.ts';

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

const upgrade = (...args: string[]) =>
  runProgram('dist/tests/faults/upgrade/main.js', args, TIMEOUT_MS);
