import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { projectFile } from '#platform/config/project.ts';
import { type ProgramResult, runProgram } from '../run-program.ts';
import { isInstalled } from '../system/programs.ts';
import { DATABASE_DEFAULTS, POSTGRES_CHECK, REDIS_CHECK } from './database-proxy.ts';
import type { FaultResult } from './measure-fault.ts';

/** Ends a run that hangs: next to other tests on two cores, one takes minutes. */
const TIMEOUT_MS = 500_000;

const isRunnable = ['haproxy', 'redis-server', 'mariadbd'].every(isInstalled);

(isRunnable ? describe : describe.skip)('a system of two replicas under load', () => {
  let result: ProgramResult;
  let faults: FaultResult[] = [];

  beforeAll(async () => {
    const out = join(tmpdir(), `spacerent-healing-${process.pid}.json`);
    const size = ['--clients', '6', '--out', out];
    result = await healing('--short', '--only', 'kill,hang,failover', ...size);
    faults = JSON.parse(readFileSync(out, 'utf8')).faults;
    rmSync(out, { force: true });
  }, TIMEOUT_MS + 30_000);

  const find = (what: string) => faults.find((each) => each.what === what);

  test('heals after each fault, loses nothing, and no invariant is violated', () => {
    expect(
      faults.flatMap(({ what, target, wrong }) => wrong.map((each) => [what, target, each])),
    ).toEqual([]);
    expect(result.output).toContain('; 0 things went wrong.');
    expect(result.code).toBe(0);
  });

  test('starts a killed process again, and goes on with the other replica meanwhile', () => {
    const { requests = 0, failed = 0, repairedAfterSeconds } = find('kill -9') ?? {};
    expect(repairedAfterSeconds).toBeGreaterThan(0);
    // What the killed process had begun fails; it takes longer to start again than to lose the others.
    expect(failed).toBeLessThan(requests / 2);
  });

  test('ends a hanging process by its liveness probe, and starts it again', () => {
    expect(find('SIGSTOP')?.repairedAfterSeconds).toBeGreaterThan(0);
  });

  test('goes on with the standby of a lost PostgreSQL, which comes back as a standby that refuses writes', () => {
    expect(find('loss of the primary')?.notes).toEqual([
      expect.stringMatching(/^postgres-2 took over; postgres-1 came back .+ refuses writes$/),
    ]);
  });
});

test('the measurement of healing names the groups of faults that there are when it is asked for another one', async () => {
  const { code, output } = await healing('--only', 'kill,flood');
  expect(output).toBe(
    '--only takes some of kill, hang, memory, disk, database, failover, redis, separated by commas, not "flood".\n',
  );
  expect(code).toBe(1);
});

test('the documentation shows the settings of HAProxy that lead to the primary databases', () => {
  const text = readFileSync(projectFile('docs/operations/healing.md'), 'utf8');
  for (const part of [DATABASE_DEFAULTS, POSTGRES_CHECK, REDIS_CHECK]) expect(text).toContain(part);
});

const healing = (...args: string[]) =>
  runProgram('dist/tests/faults/healing/main.js', args, TIMEOUT_MS);
