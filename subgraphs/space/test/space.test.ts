import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { defaultTerms } from '#contracts/space.ts';
import { createSpace, type SpaceListing } from '../src/domain/space-listing.ts';
import type { OpeningHours } from '../src/domain/space-terms.ts';

const listing: SpaceListing = {
  name: 'Loft',
  description: 'Bright',
  address: 'Seoul',
  timeZone: 'Asia/Seoul',
  capacity: 10,
  hourlyRate: 30_000,
  currency: 'KRW',
};
const now = new Date('2030-05-01T00:00:00Z');
const list = (changes: Partial<SpaceListing> = {}) => {
  const given = { ...listing, ...changes };
  const terms = defaultTerms(given.capacity);
  return createSpace(given, { id: 's1', hostId: 'hana', now, terms, newId: randomUUID });
};
const hours = (opens: string, closes: string, day: OpeningHours['day'] = 'MONDAY') => ({
  day,
  opens,
  closes,
});
const tier = (daysBefore: number, percent: number) => ({ daysBefore, percent });

describe('the listing of a space', () => {
  test('a space listed without terms is always open, and has the default refunds and rules', () => {
    expect(list()).toEqual({
      ...listing,
      id: 's1',
      hostId: 'hana',
      version: 1,
      listedAt: now,
      ...defaultTerms(10),
      photos: [],
      amenities: [],
      openingHours: [
        'MONDAY',
        'TUESDAY',
        'WEDNESDAY',
        'THURSDAY',
        'FRIDAY',
        'SATURDAY',
        'SUNDAY',
      ].map((day) => ({ day, opens: '00:00', closes: '24:00' })),
      refundTiers: [tier(7, 100), tier(1, 50)],
    });
  });

  test('a space keeps the listed hours and tiers, and its name is trimmed', () => {
    const openingHours = [hours('09:00', '12:00'), hours('12:00', '24:00')];
    const space = list({ name: '  Loft ', openingHours, refundTiers: [] });
    expect(space).toMatchObject({ name: 'Loft', openingHours, refundTiers: [] });
  });

  const wrong: [string, Partial<SpaceListing>, string][] = [
    ['an empty name', { name: '' }, 'name'],
    ['a blank name', { name: ' \t ' }, 'name'],
    ['a name of 201 characters', { name: 'x'.repeat(201) }, 'name'],
    ['a control character in the name', { name: 'Lo\u0000ft' }, 'name'],
    ['a description of 10001 characters', { description: 'x'.repeat(10_001) }, 'description'],
    ['a control character in the description', { description: '\u001b[31m' }, 'description'],
    ['an address of 1001 characters', { address: 'x'.repeat(1_001) }, 'address'],
    ['a control character in the address', { address: '\u007f' }, 'address'],
    ['a zone that does not exist', { timeZone: 'Asia/Atlantis' }, 'timeZone'],
    ['no zone', { timeZone: '' }, 'timeZone'],
    ['an offset for a zone', { timeZone: '+09:00' }, 'timeZone'],
    ['an abbreviation for a zone', { timeZone: 'EST' }, 'timeZone'],
    ['a capacity of zero', { capacity: 0 }, 'capacity'],
    ['a negative rate', { hourlyRate: -1 }, 'hourlyRate'],
    ['no opening hours', { openingHours: [] }, 'openingHours'],
    ['an opening at 24:00', { openingHours: [hours('24:00', '24:00')] }, 'openingHours[0].opens'],
    [
      'an opening of one digit',
      { openingHours: [hours('9:00', '12:00')] },
      'openingHours[0].opens',
    ],
    ['an opening at 09:60', { openingHours: [hours('09:60', '12:00')] }, 'openingHours[0].opens'],
    ['a closing at 24:01', { openingHours: [hours('09:00', '24:01')] }, 'openingHours[0].closes'],
    ['a closing at 25:00', { openingHours: [hours('09:00', '25:00')] }, 'openingHours[0].closes'],
    [
      'a closing as it opens',
      { openingHours: [hours('09:00', '09:00')] },
      'openingHours[0].closes',
    ],
    ['a night in one entry', { openingHours: [hours('20:00', '04:00')] }, 'openingHours[0].closes'],
    ['a closing at 00:00', { openingHours: [hours('09:00', '00:00')] }, 'openingHours[0].closes'],
    [
      'hours of one day that overlap',
      { openingHours: [hours('09:00', '12:00'), hours('11:59', '18:00')] },
      'openingHours[1]',
    ],
    [
      'hours inside others, written first',
      { openingHours: [hours('10:00', '11:00'), hours('13:00', '14:00'), hours('09:00', '24:00')] },
      'openingHours[2]',
    ],
    [
      'seven entries on one day',
      {
        openingHours: [10, 11, 12, 13, 14, 15, 16].map((hour) => hours(`${hour}:00`, `${hour}:30`)),
      },
      'openingHours[6].day',
    ],
    ['a tier after the start', { refundTiers: [tier(-1, 50)] }, 'refundTiers[0].daysBefore'],
    ['a tier of 3651 days', { refundTiers: [tier(3_651, 50)] }, 'refundTiers[0].daysBefore'],
    ['a tier of -1 %', { refundTiers: [tier(7, 100), tier(1, -1)] }, 'refundTiers[1].percent'],
    ['a tier of 101 %', { refundTiers: [tier(1, 101)] }, 'refundTiers[0].percent'],
    [
      'two tiers of one day',
      { refundTiers: [tier(1, 50), tier(1, 60)] },
      'refundTiers[1].daysBefore',
    ],
  ];
  test.each(wrong)(
    'a listing with %s is refused, and the refusal names the field',
    (_name, changes, field) => {
      expect(list(changes)).toEqual({
        type: 'InvalidSpace',
        field,
        message: expect.stringMatching(/\.$/),
      });
    },
  );

  test.each<[string, Partial<SpaceListing>]>([
    ['a name of 200 characters', { name: 'x'.repeat(200) }],
    ['no description and no address', { description: '', address: '' }],
    ['a description of several lines', { description: 'one\r\n\ttwo' }],
    ['a name in Korean and with a smile', { name: '홍대 파티룸 🎉' }],
    ['a zone of three parts', { timeZone: 'America/Argentina/Buenos_Aires' }],
    ['a zone with a minus', { timeZone: 'America/Port-au-Prince' }],
    ['the zone UTC', { timeZone: 'UTC' }],
    ['a capacity of one', { capacity: 1 }],
    ['a rate of zero', { hourlyRate: 0 }],
    [
      'the first and the last minute',
      { openingHours: [hours('00:00', '00:01'), hours('23:59', '24:00')] },
    ],
    [
      'the same hours on two days',
      { openingHours: [hours('09:00', '12:00'), hours('09:00', '12:00', 'TUESDAY')] },
    ],
    [
      'six entries on each of two days',
      {
        openingHours: (['MONDAY', 'TUESDAY'] as const).flatMap((day) =>
          [10, 11, 12, 13, 14, 15].map((hour) => hours(`${hour}:00`, `${hour}:30`, day)),
        ),
      },
    ],
    ['tiers at their limits', { refundTiers: [tier(0, 0), tier(3_650, 100)] }],
  ])('a listing with %s is accepted', (_name, changes) => {
    expect(list(changes)).not.toHaveProperty('type');
  });
});
