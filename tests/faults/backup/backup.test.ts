import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { backUp } from '../../../supervisor/src/backup/back-up.ts';
import { restore } from '../../../supervisor/src/backup/restore.ts';
import { findViolations } from '../invariants/check-invariants.ts';
import { waitForQuiescence } from '../invariants/quiescence.ts';
import { Records } from '../load/records.ts';
import type { SlotPlan } from '../load/slot-plan.ts';
import { answeredBefore, rememberResponses } from './answered-before.ts';
import { type EmbeddedSystem, startEmbeddedSystem } from './embedded-system.ts';
import { listSpaces, runLoad } from './load.ts';

const seed = jest.getSeed();
const folder = mkdtempSync(join(tmpdir(), 'spacerent-backup-'));
const home = join(folder, 'home');
const secondHome = join(folder, 'second');
const never = new AbortController().signal;
const silently = { say: () => {}, onProgress: () => {}, abort: never };
const records = new Records();

let plan: SlotPlan;
let running: EmbeddedSystem | undefined;
let file: string;
let expected: Records;

async function waitUntilQuiet({ urls }: EmbeddedSystem): Promise<void> {
  const options = { timeoutMs: 60_000, hasten: true, signal: never };
  expect((await waitForQuiescence(urls.contexts, options)).unfinished).toEqual([]);
}

beforeAll(async () => {
  running = await startEmbeddedSystem(home);
  plan = await listSpaces(running, records, 'backup');
  let isOver = false;
  const load = runLoad(running, plan, records, { name: 'first', seed, isOver: () => isOver });
  await wait(3_000);
  const before = rememberResponses(records);
  ({ file } = await backUp({ home, ...silently }));
  isOver = true;
  await load;
  expected = answeredBefore(before, records);
  await running.stop();
  running = undefined;
}, 400_000);

afterAll(async () => {
  await running?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe('a backup', () => {
  test('a backup that is taken under load is one file that only its owner can read', () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(home, 'backups'))).toHaveLength(1);
  });

  test('a restore into a home with data is refused, unless it may replace them', async () => {
    mkdirSync(secondHome);
    writeFileSync(join(secondHome, 'auth-secret'), 'of another system');
    const again = { file, home: secondHome, ...silently };
    await expect(restore({ ...again, replace: false })).rejects.toThrow(/holds data already/);
    const { rows, movedTo } = await restore({ ...again, replace: true });
    expect(rows.book?.booking).toBeGreaterThan(0);
    expect(readFileSync(join(movedTo ?? '', 'auth-secret'), 'utf8')).toBe('of another system');
  }, 400_000);

  test('a restored backup has all that was answered before it, and nothing twice', async () => {
    running = await startEmbeddedSystem(secondHome);
    await waitUntilQuiet(running);
    expect(await findViolations(running.urls, expected, new Date(0))).toEqual([]);
  }, 400_000);

  test('a restored system goes on booking, changing and cancelling', async () => {
    if (!running) throw new Error('The system does not run.');
    const endAt = Date.now() + 2_000;
    const isOver = () => Date.now() > endAt;
    await runLoad(running, plan, expected, { name: 'second', seed, isOver });
    await waitUntilQuiet(running);
    expect(await findViolations(running.urls, expected, new Date(0))).toEqual([]);
  }, 300_000);

  test('a restore into a home on which a system runs names that system', async () => {
    const again = { file, home: secondHome, ...silently };
    await expect(restore({ ...again, replace: true })).rejects.toThrow(
      /already runs on .* Stop it first/,
    );
  });
});
