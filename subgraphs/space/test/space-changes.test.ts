import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { defaultTerms } from '#contracts/space.ts';
import type { Space } from '../src/domain/space.ts';
import { changeSpace, type SpaceChanges } from '../src/domain/space-changes.ts';
import { createSpace } from '../src/domain/space-listing.ts';

function aSpace(changes: Partial<Space> = {}): Space {
  const listing = { name: 'Loft', description: '', address: '', timeZone: 'Asia/Seoul' };
  const created = createSpace(
    { ...listing, capacity: 10, hourlyRate: 1, currency: 'KRW' },
    {
      ...{ id: 's1', hostId: 'hana', now: new Date('2030-05-01T00:00:00Z') },
      terms: defaultTerms(10),
      newId: randomUUID,
    },
  );
  if ('type' in created) throw new Error(created.message);
  return { ...created, ...changes };
}

function change(space: Space, changes: SpaceChanges) {
  const result = changeSpace(space, changes, randomUUID);
  if ('type' in result) throw new Error(`${result.field}: ${result.message}`);
  return result;
}
const refusal = (space: Space, changes: SpaceChanges) => changeSpace(space, changes, randomUUID);
const addOn = (id: string) => ({
  ...{ id, name: 'Projector', unit: 'PER_BOOKING' as const, price: 5, maxQuantity: 1 },
});
const [FIRST, SECOND] = [randomUUID(), randomUUID()];

describe('the change of a space', () => {
  test('a change raises the version, names the fields, and leaves the others as they are', () => {
    const space = aSpace();
    const { space: next, changed } = change(space, { name: ' Attic ', vatPercent: 0 });
    expect(next).toEqual({ ...space, name: 'Attic', vatPercent: 0, version: 2 });
    expect(changed.sort()).toEqual(['name', 'vatPercent']);
  });

  test('a change to what is there changes nothing, whatever the order of the keys', () => {
    const space = aSpace({
      openingExceptions: [
        { reason: '', hours: [{ closes: '10:00', opens: '09:00' }], date: '2030-01-01' },
      ],
      addOns: [addOn(FIRST)],
    });
    const { openingHours, refundTiers, bookingRules, capacity } = space;
    const same: SpaceChanges = {
      ...{ name: 'Loft ', openingHours, refundTiers, bookingRules, capacity, state: 'ACTIVE' },
      openingExceptions: [{ date: '2030-01-01', hours: [{ opens: '09:00', closes: '10:00' }] }],
      addOns: [addOn(FIRST.toUpperCase())],
    };
    expect(change(space, same)).toEqual({ space, changed: [] });
    expect(change(space, {})).toEqual({ space, changed: [] });
  });

  test('null clears the country of the holidays and leaves everything else as it is', () => {
    const space = aSpace({ holidayCountry: 'KR' });
    expect(change(space, { holidayCountry: null }).space.holidayCountry).toBeNull();
    expect(change(space, { holidayCountry: undefined }).changed).toEqual([]);
    const nothing = Object.fromEntries(
      Object.keys(space)
        .filter((field) => field !== 'holidayCountry')
        .map((field) => [field, null]),
    );
    expect(change(space, nothing)).toEqual({ space, changed: [] });
  });

  test('the parts of booking rules that are left out keep their values', () => {
    const present = { ...aSpace().bookingRules, minMinutes: 60, bufferAfterMinutes: 15 };
    const space = aSpace({ bookingRules: present });
    const { space: next } = change(space, { bookingRules: { stepMinutes: 60, maxMinutes: null } });
    expect(next.bookingRules).toEqual({ ...present, stepMinutes: 60 });
    expect(refusal(space, { bookingRules: { stepMinutes: 45 } })).toMatchObject({
      type: 'InvalidSpace',
      field: 'bookingRules.minMinutes',
    });
  });

  test('the included headcount follows the capacity as long as it equals it', () => {
    expect(change(aSpace(), { capacity: 4 }).space.includedHeadcount).toBe(4);
    expect(change(aSpace(), { capacity: 20 }).space.includedHeadcount).toBe(20);
    expect(change(aSpace(), { capacity: 20, includedHeadcount: 10 }).space.includedHeadcount).toBe(
      10,
    );
    const fewer = aSpace({ includedHeadcount: 6 });
    expect(change(fewer, { capacity: 20 }).space.includedHeadcount).toBe(6);
    expect(refusal(fewer, { capacity: 5 })).toMatchObject({ field: 'includedHeadcount' });
  });

  test('an add-on keeps its id, a new one gets one, and one that is left out is removed', () => {
    const space = aSpace({ addOns: [addOn(FIRST), addOn(SECOND)] });
    const { space: next } = change(space, {
      addOns: [
        { name: 'Chairs', unit: 'PER_PERSON', price: 1 },
        { ...addOn(SECOND), price: 9 },
      ],
    });
    expect(next.addOns).toEqual([
      { id: expect.any(String), name: 'Chairs', unit: 'PER_PERSON', price: 1, maxQuantity: 1 },
      { ...addOn(SECOND), price: 9 },
    ]);
    expect([FIRST, SECOND]).not.toContain(next.addOns[0]?.id);
  });

  test.each<[string, SpaceChanges, string]>([
    ['an unknown add-on', { addOns: [addOn(FIRST), addOn(randomUUID())] }, 'addOns[1].id'],
    ['an add-on twice', { addOns: [addOn(FIRST), addOn(FIRST)] }, 'addOns[1].id'],
    [
      'a rule that covers no time',
      {
        priceRules: [
          { name: 'a', hourlyRate: 1 },
          { name: 'b', hourlyRate: 1 },
          { name: 'c', hourlyRate: 1, from: '09:00', to: '09:00' },
        ],
      },
      'priceRules[2].to',
    ],
    ['an empty name', { name: ' ' }, 'name'],
    ['no hours', { openingHours: [] }, 'openingHours'],
  ])('a change to %s is refused, and the refusal names the field', (_name, changes, field) => {
    expect(refusal(aSpace({ addOns: [addOn(FIRST)] }), changes)).toEqual({
      type: 'InvalidSpace',
      field,
      message: expect.any(String),
    });
  });
});
