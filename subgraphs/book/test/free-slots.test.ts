import { describe, expect, test } from '@jest/globals';
import { batched } from '../src/adapters/batched.ts';
import { findFreeSlots } from '../src/application/free-slots.ts';
import type { CatalogueSpace } from '../src/domain/catalogue-space.ts';
import type { BookPorts } from '../src/ports.ts';

const days = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
] as const;
const space = {
  id: 's1',
  timeZone: 'Asia/Seoul',
  openingHours: days.map((day) => ({ day, opens: '00:00', closes: '24:00' })),
} as unknown as CatalogueSpace;
const at = (time: string) => new Date(`2030-06-03T${time}Z`);

function freeAt(now: Date, from: Date, to: Date) {
  const queried: Date[] = [];
  const bookings = {
    occupiedSlots: async (_id: string, start: Date) => {
      queried.push(start);
      return [];
    },
  };
  const ports = { bookings, clock: () => now } as unknown as BookPorts;
  return { queried, found: findFreeSlots(ports, space, from, to) };
}

describe('free slots', () => {
  test('free slots start at the next whole minute where the range starts in the past', async () => {
    const { found } = freeAt(at('10:00:30'), at('08:00:00'), at('12:00:00'));
    expect(await found).toEqual([{ startAt: at('10:01:00'), endAt: at('12:00:00') }]);
  });

  test('free slots never start at the present instant, at which no booking is possible any more', async () => {
    const { found } = freeAt(at('10:00:00'), at('10:00:00'), at('12:00:00'));
    expect(await found).toEqual([{ startAt: at('10:01:00'), endAt: at('12:00:00') }]);
  });

  test('a range that is over has no free slots, and the database is not queried', async () => {
    const { found, queried } = freeAt(at('12:00:00'), at('08:00:00'), at('12:00:00'));
    expect(await found).toEqual([]);
    expect(queried).toEqual([]);
  });

  test('free slots of a future range start where the range does', async () => {
    const { found } = freeAt(at('08:00:00'), at('10:00:07'), at('12:00:00'));
    expect(await found).toEqual([{ startAt: at('10:00:07'), endAt: at('12:00:00') }]);
  });
});

describe('calls of one tick', () => {
  test('calls of one tick are one load, as are the calls that continue from them', async () => {
    const loads: number[][] = [];
    const double = batched(async (keys: readonly number[]) => {
      loads.push([...keys]);
      return keys.map((key) => key * 2);
    });
    const twice = async (key: number) => double(await double(key));
    expect(await Promise.all([1, 2, 3].map(twice))).toEqual([4, 8, 12]);
    expect(loads).toEqual([
      [1, 2, 3],
      [2, 4, 6],
    ]);
  });

  test('all calls of a tick fail when their load does, and the next tick loads again', async () => {
    let fails = true;
    const load = batched(async (keys: readonly string[]) => {
      if (fails) throw new Error('no database');
      return keys;
    });
    const outcomes = await Promise.allSettled([load('a'), load('b')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await load('c')).toBe('c');
  });
});
