import { expect, test } from '@jest/globals';
import { gatheredCalendars } from '../src/adapters/gathered-calendars.ts';
import type { CalendarQuery, SpaceCalendar } from '../src/application/read-calendars.ts';

const AT = new Date('2030-06-03T00:00:00Z');
const queriesOf = (...ids: string[]): CalendarQuery[] =>
  ids.map((spaceId) => ({ spaceId, from: AT, to: AT }));

/** Calendars whose reads end when the test says so. */
function slowCalendars() {
  const reads: { ids: string[]; end: (error?: Error) => void }[] = [];
  const calendars = gatheredCalendars(
    {
      read: (queries) =>
        new Promise((resolve, reject) => {
          const ids = queries.map(({ spaceId }) => spaceId);
          // The space's id stands for the calendar.
          const found = ids as unknown as SpaceCalendar[];
          reads.push({ ids, end: (error) => (error ? reject(error) : resolve(found)) });
        }),
    },
    2,
  );
  return { reads, calendars };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('calls during the reads that may run at once share the next read, and get their own results', async () => {
  const { reads, calendars } = slowCalendars();
  const calls = [['a'], ['b', 'c'], ['d', 'e'], [], ['f']].map((ids) =>
    calendars.read(queriesOf(...ids)),
  );
  expect(reads.map(({ ids }) => ids)).toEqual([['a'], ['b', 'c']]);
  reads[0]?.end();
  await nextTurn();
  expect(reads.map(({ ids }) => ids)).toEqual([['a'], ['b', 'c'], ['d', 'e', 'f']]);
  reads[2]?.end();
  reads[1]?.end();
  expect(await Promise.all(calls)).toEqual([['a'], ['b', 'c'], ['d', 'e'], [], ['f']]);
});

test('a read that fails rejects its own calls, and the next calls are read', async () => {
  const { reads, calendars } = slowCalendars();
  const [first, second] = [calendars.read(queriesOf('a')), calendars.read(queriesOf('b'))];
  const [third, fourth] = [calendars.read(queriesOf('c')), calendars.read(queriesOf('d'))];
  reads[0]?.end(new Error('the database is away'));
  await expect(first).rejects.toThrow('the database is away');
  await nextTurn();
  reads[2]?.end(new Error('still away'));
  for (const call of [third, fourth]) await expect(call).rejects.toThrow('still away');
  const fifth = calendars.read(queriesOf('e'));
  reads[1]?.end();
  await nextTurn();
  reads[3]?.end();
  expect(await Promise.all([second, fifth])).toEqual([['b'], ['e']]);
});

test('a read takes no more calls after a thousand queries, and one call however large', async () => {
  const { reads, calendars } = slowCalendars();
  const many = (count: number) => queriesOf(...Array.from({ length: count }, () => 'x'));
  for (const count of [1, 1, 600, 400, 1, 1_500]) void calendars.read(many(count));
  for (let ended = 0; ended < 3; ended += 1) {
    reads[ended]?.end();
    await nextTurn();
  }
  expect(reads.map(({ ids }) => ids.length)).toEqual([1, 1, 1_000, 1, 1_500]);
});
