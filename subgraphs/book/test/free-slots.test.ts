import { describe, expect, test } from '@jest/globals';
import { batched } from '#platform/database/batched.ts';
import { findAlternatives, findFreeSlots } from '../src/application/free-slots.ts';
import type { BookingRules } from '../src/domain/catalogue-space.ts';
import type { TimeSlot } from '../src/domain/time-slot.ts';
import type { BookPorts } from '../src/ports.ts';
import { aSpace } from './a-booking.ts';

const at = (time: string) => new Date(`2030-06-03T${time}Z`);

function portsAt(now: Date, occupied: TimeSlot[] = []) {
  const queried: TimeSlot[] = [];
  const bookings = {
    occupiedSlots: async (_id: string, startAt: Date, endAt: Date) => {
      queried.push({ startAt, endAt });
      return occupied;
    },
  };
  return { queried, ports: { bookings, clock: () => now } as unknown as BookPorts };
}

function freeAt(now: Date, from: Date, to: Date, rules: Partial<BookingRules> = {}) {
  const { queried, ports } = portsAt(now);
  const space = aSpace({ bookingRules: { ...aSpace().bookingRules, ...rules } });
  return { queried, found: findFreeSlots(ports, space, from, to) };
}

describe('free slots', () => {
  test('free slots start at the next time of the grid where the range starts in the past', async () => {
    const { found } = freeAt(at('10:00:30'), at('08:00:00'), at('12:00:00'));
    expect(await found).toEqual([{ startAt: at('10:30:00'), endAt: at('12:00:00') }]);
  });

  test('free slots never start at the present instant, at which no booking is possible any more', async () => {
    const { found } = freeAt(at('10:00:00'), at('10:00:00'), at('12:00:00'));
    expect(await found).toEqual([{ startAt: at('10:30:00'), endAt: at('12:00:00') }]);
  });

  test('free slots start at the present instant plus the notice', async () => {
    const rules = { minNoticeMinutes: 60 };
    const { found } = freeAt(at('10:00:00'), at('10:00:00'), at('12:00:00'), rules);
    expect(await found).toEqual([{ startAt: at('11:00:00'), endAt: at('12:00:00') }]);
  });

  test('a range that is over has no free slots, and the database is not queried', async () => {
    const { found, queried } = freeAt(at('12:00:00'), at('08:00:00'), at('12:00:00'));
    expect(await found).toEqual([]);
    expect(queried).toEqual([]);
  });

  test('a range after the horizon has no free slots, and the database is not queried', async () => {
    const rules = { maxAdvanceDays: 3 };
    const now = new Date('2030-05-31T07:59:59Z');
    const { found, queried } = freeAt(now, at('08:00:00'), at('12:00:00'), rules);
    expect(await found).toEqual([]);
    expect(queried).toEqual([]);
  });

  test('free slots of a future range start at the first time of the grid in it', async () => {
    const { found } = freeAt(at('08:00:00'), at('10:00:07'), at('12:00:00'));
    expect(await found).toEqual([{ startAt: at('10:30:00'), endAt: at('12:00:00') }]);
  });

  test('free slots query the holds whose buffers, or whose own, reach into the range', async () => {
    const rules = { bufferBeforeMinutes: 30, bufferAfterMinutes: 45 };
    const { found, queried } = freeAt(at('08:00:00'), at('10:00:00'), at('12:00:00'), rules);
    await found;
    expect(queried).toEqual([{ startAt: at('09:30:00'), endAt: at('12:45:00') }]);
  });
});

describe('alternatives', () => {
  test("alternatives are slots that a booking request accepts and that are in no hold's way", async () => {
    const space = aSpace({
      bookingRules: {
        ...aSpace().bookingRules,
        stepMinutes: 60,
        minMinutes: 60,
        minNoticeMinutes: 120,
        bufferBeforeMinutes: 15,
      },
    });
    const hold = { startAt: at('06:45:00'), endAt: at('09:00:00') };
    const { ports } = portsAt(at('02:30:00'), [hold]);
    const wanted = { startAt: at('07:00:00'), endAt: at('09:00:00') };
    expect(await findAlternatives(ports, space, wanted)).toEqual([
      { startAt: at('10:00:00'), endAt: at('12:00:00') },
      { startAt: at('12:00:00'), endAt: at('14:00:00') },
      { startAt: at('14:00:00'), endAt: at('16:00:00') },
    ]);
    const early = { startAt: at('06:00:00'), endAt: at('07:00:00') };
    expect(await findAlternatives(ports, space, early)).toEqual([
      { startAt: at('05:00:00'), endAt: at('06:00:00') },
      { startAt: at('10:00:00'), endAt: at('11:00:00') },
      { startAt: at('11:00:00'), endAt: at('12:00:00') },
    ]);
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
