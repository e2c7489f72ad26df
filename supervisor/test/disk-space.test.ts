import { expect, test } from '@jest/globals';
import { until } from '../../tests/support/system.ts';
import { watchDiskSpace } from '../src/disk-space.ts';

const MEBIBYTE = 1 << 20;

test('a disk that is nearly full is reported once, and once again when it has space', async () => {
  const lines: string[] = [];
  let free: number | undefined = 500 * MEBIBYTE;
  let checks = 0;
  const read = () => {
    checks += 1;
    return free;
  };
  const checked = async (times: number) => {
    const wanted = checks + times;
    await until('the disk is checked', () => checks >= wanted);
  };
  const end = watchDiskSpace('/data', (line) => lines.push(line), read, 1);
  await checked(3);
  expect(lines).toEqual([]);
  free = 63.5 * MEBIBYTE;
  await checked(3);
  expect(lines).toEqual([
    expect.stringMatching(
      /^The disk of \/data is nearly full \(63 MiB are free\)\. .+ by itself then\.$/,
    ),
  ]);
  // Some bytes more or less are nothing new.
  free = 100 * MEBIBYTE;
  await checked(3);
  free = undefined;
  await checked(3);
  expect(lines).toHaveLength(1);
  free = 128 * MEBIBYTE;
  await checked(3);
  expect(lines.slice(1)).toEqual(['The disk of /data has space again (128 MiB are free).']);
  end();
});
