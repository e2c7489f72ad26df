import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { until } from '../../tests/support/system.ts';
import { type Instance, InstanceFile, readInstance } from '../src/instance-file.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'spacerent-instance-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

const starting = (): Instance => ({
  pid: process.pid,
  startedAt: new Date().toISOString(),
  state: 'starting',
  profile: 'embedded',
  graphqlUrl: 'http://localhost:4000/graphql',
  logs: join(home, 'logs'),
  databases: {},
  services: {},
});

/** As on a full disk, the draft of the file cannot be written; the returned function ends that. */
function preventWrites(): () => void {
  const draft = join(home, `instance.json.${process.pid}`);
  mkdirSync(draft);
  return () => rmdirSync(draft);
}

test('the instance file reports once that it cannot be written, and is written by itself once it can', async () => {
  const lines: string[] = [];
  const file = new InstanceFile(home, starting(), (line) => lines.push(line));
  const allowWrites = preventWrites();
  file.update({ state: 'ready' });
  file.setService('book', undefined, 4001);
  expect(lines).toEqual([
    expect.stringMatching(/instance\.json cannot be written: .+ it is tried/),
  ]);
  expect(readInstance(home)?.state).toBe('starting');
  allowWrites();
  await until('the file is written', () => readInstance(home)?.state === 'ready');
  expect(readInstance(home)?.services.book?.port).toBe(4001);
  await until('that is reported', () => lines[1]?.endsWith('is written again.'));
  file.remove();
});

test('a system whose instance file cannot be written at the start does not start', () => {
  preventWrites();
  expect(() => new InstanceFile(home, starting(), () => {})).toThrow('EISDIR');
});
