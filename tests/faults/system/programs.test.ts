import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { projectFile } from '#platform/config/project.ts';

test('the fault test command reports which server is not installed before it starts anything', () => {
  const { NODE_OPTIONS, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [projectFile('dist/tests/faults/main.js'), '--profile', 'both', '--runs', '1'],
    { encoding: 'utf8', env: { ...env, PATH: '/nowhere' } },
  );
  expect(stderr).toMatch(/^The servers profile needs redis-server and mariadbd, but redis-server/);
  expect(stderr).toMatch(/not installed on this machine\.\n$/);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
});
