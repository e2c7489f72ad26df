import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { projectFile } from '#platform/config/project.ts';
import { computeHolidays } from '../src/adapters/compute-holidays.ts';
import { type HolidayThread, holidayThread } from '../src/adapters/holiday-thread.ts';
import { cachedHolidays } from '../src/adapters/library-holidays.ts';

const BUILT = pathToFileURL(projectFile('dist/subgraphs/book/src/adapters/holiday-worker.js'));

let thread: HolidayThread;
afterEach(() => thread?.close());

/** A program whose thread does this with each job. */
const programThat = (does: string) =>
  new URL(
    `data:text/javascript,${encodeURIComponent(
      `import { parentPort } from 'node:worker_threads';
       parentPort.on('message', ({ id, country, year }) => { ${does} });`,
    )}`,
  );
const ANSWERS =
  "parentPort.postMessage({ id, holidays: [{ date: year + '-01-01', name: country }] })";

const unavailable = expect.objectContaining({
  extensions: expect.objectContaining({ code: 'SERVICE_UNAVAILABLE' }),
});

describe('the thread that computes holidays', () => {
  test('the built thread computes what the library does, in the order of the jobs', async () => {
    thread = holidayThread(BUILT);
    const asked = [
      ['KR', 2027],
      ['DE', 2027],
      ['XX', 2027],
      ['CN', 2028],
    ] as const;
    const answers = await Promise.all(
      asked.map(([country, year]) => thread.compute(country, year)),
    );
    expect(answers).toEqual(asked.map(([country, year]) => computeHolidays(country, year)));
    expect(answers[0]).toHaveLength(24);
  });

  test('a timer fires while a year is computed', async () => {
    thread = holidayThread(BUILT);
    const computed = thread.compute('TW', 2031);
    const first = await Promise.race([computed.then(() => 'holidays'), sleep(5, 'timer')]);
    expect(first).toBe('timer');
    expect((await computed).length).toBeGreaterThan(5);
  });

  test('a year that cannot be computed fails its job, and no other', async () => {
    thread = holidayThread(BUILT);
    const failed = thread.compute('DE', 2027n as never);
    const sound = thread.compute('KR', 2027);
    await expect(failed).rejects.toThrow('the holidays cannot be computed');
    expect(await sound).toHaveLength(24);
  });

  test('twenty jobs wait behind the first, and one more is refused as unavailable', async () => {
    thread = holidayThread(programThat(''));
    const waiting = Array.from({ length: 21 }, (_, n) => thread.compute('KR', 2027 + n));
    const ended = Promise.allSettled(waiting);
    await expect(thread.compute('KR', 2050)).rejects.toEqual(unavailable);
    await thread.close();
    expect((await ended).map(({ status }) => status)).toEqual(Array(21).fill('rejected'));
  });

  test.each([
    ['throws', "if (country === 'XX') throw new Error('broken');"],
    ['exits', "if (country === 'XX') process.exit(3);"],
  ])('a thread that %s fails all that wait, and the next job starts another', async (_, breaks) => {
    thread = holidayThread(programThat(`${breaks} ${ANSWERS}`));
    expect(await thread.compute('KR', 2027)).toEqual([{ date: '2027-01-01', name: 'KR' }]);
    const outcomes = await Promise.allSettled([
      thread.compute('XX', 2027),
      thread.compute('KR', 2028),
    ]);
    expect(outcomes).toEqual(
      outcomes.map(() => ({
        status: 'rejected',
        reason: expect.objectContaining({
          message: expect.stringContaining('the thread of holidays'),
        }),
      })),
    );
    expect(await thread.compute('KR', 2029)).toEqual([{ date: '2029-01-01', name: 'KR' }]);
  });

  test('a thread that does not answer is ended, and the next job starts another', async () => {
    thread = holidayThread(programThat(`if (country === 'XX') for (;;); ${ANSWERS}`), 1_000);
    await expect(thread.compute('XX', 2027)).rejects.toThrow('has not answered for 1000 ms');
    expect(await thread.compute('KR', 2029)).toEqual([{ date: '2029-01-01', name: 'KR' }]);
  });
});

describe('the cache of holidays', () => {
  test('a country and year is computed once, and who asks meanwhile shares the result', async () => {
    const computed: string[] = [];
    const library = cachedHolidays(async (country, year) => {
      computed.push(`${country} ${year}`);
      return [{ date: `${year}-01-01`, name: country }];
    });
    const [one, two] = await Promise.all([library('KR', 2027), library('KR', 2027)]);
    expect(two).toBe(one);
    expect(await library('KR', 2027)).toBe(one);
    await library('KR', 2028);
    await library('JP', 2027);
    expect(computed).toEqual(['KR 2027', 'KR 2028', 'JP 2027']);
  });

  test('all countries and years that are known stay in the cache', async () => {
    let computed = 0;
    const library = cachedHolidays(async () => {
      computed += 1;
      return [];
    });
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
    const countries = letters.flatMap((a) => letters.map((b) => a + b));
    for (const _ of ['first', 'second']) {
      for (const country of countries) {
        for (let year = 2025; year <= 2037; year += 1) await library(country, year);
      }
    }
    expect(computed).toBe(676 * 13);
  });

  test('a failure fails all who share it, and is not remembered', async () => {
    let fails = true;
    const library = cachedHolidays(async () => {
      if (fails) throw new Error('crashed');
      return [];
    });
    const both = await Promise.allSettled([library('KR', 2027), library('KR', 2027)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await library('KR', 2027)).toEqual([]);
  });
});
