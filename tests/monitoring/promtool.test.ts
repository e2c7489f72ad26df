import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { projectFile } from '#platform/config/project.ts';
import { isInstalled } from '../faults/system/programs.ts';
import { readRules } from './files.ts';

const run = promisify(execFile);
const folder = projectFile('deploy/prometheus');
const testWithPromtool = isInstalled('promtool') ? test : test.skip;

const promtool = async (...args: string[]) => {
  const result = await run('promtool', args, { cwd: folder }).catch((error) => error);
  return `${result.stdout}${result.stderr}`;
};

testWithPromtool('promtool accepts the recording rules and the alerts', async () => {
  const output = await promtool('check', 'rules', 'recording.rules.yml', 'alerts.rules.yml');
  expect(output).toMatch(/SUCCESS(?!.*FAILED)/s);
});

testWithPromtool('the alerts fire when they should, and not when they should not', async () => {
  expect(await promtool('test', 'rules', 'rules.test.yml')).toMatch(/SUCCESS(?!.*FAILED)/s);
});

test('every alert has a unit test in which it fires', () => {
  const tests = readFileSync(`${folder}/rules.test.yml`, 'utf8');
  const untested = readRules().filter(({ alert }) => alert && !tests.includes(`"${alert}"`));
  expect(untested.map(({ alert }) => alert)).toEqual([]);
});
