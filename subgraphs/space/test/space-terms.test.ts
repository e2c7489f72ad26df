import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { DEFAULT_BOOKING_RULES, defaultTerms } from '#contracts/space.ts';
import { createSpace, type SpaceListing } from '../src/domain/space-listing.ts';
import type { PriceRule } from '../src/domain/space-terms.ts';

const MAX_INT = 2_147_483_647;

function list(changes: Partial<SpaceListing>) {
  const plain = { name: 'Loft', description: '', address: '', timeZone: 'Asia/Seoul' };
  const listing = { ...plain, capacity: 10, hourlyRate: 1, currency: 'KRW' as const, ...changes };
  return createSpace(listing, {
    ...{ id: 's1', hostId: 'hana', now: new Date('2030-05-01T00:00:00Z') },
    terms: defaultTerms(listing.capacity),
    newId: randomUUID,
  });
}

const many = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));
const dateAt = (index: number) => new Date(Date.UTC(2030, 0, 1 + index)).toISOString().slice(0, 10);
const exception = (date: string, ...hours: [string, string][]) => ({
  date,
  hours: hours.map(([opens, closes]) => ({ opens, closes })),
});
const rule = (conditions: Partial<PriceRule>) => ({
  priceRules: [{ name: 'Night', hourlyRate: 5, ...conditions }],
});
const addOn = (changes: object = {}) => ({
  ...{ name: 'Projector', unit: 'PER_BOOKING' as const, price: 1_000 },
  ...changes,
});
const photo = (url: string, alt = '') => ({ photos: [{ url, alt }] });

const wrong: [string, Partial<SpaceListing>, string][] = [
  ['a capacity of 100001', { capacity: 100_001 }, 'capacity'],
  [
    '51 refund tiers',
    { refundTiers: many(51, (n) => ({ daysBefore: n, percent: 1 })) },
    'refundTiers',
  ],
  [
    '401 exceptions',
    { openingExceptions: many(401, (n) => exception(dateAt(n))) },
    'openingExceptions',
  ],
  [
    'two exceptions of a date',
    { openingExceptions: [exception('2030-01-01'), exception('2030-01-01', ['09:00', '10:00'])] },
    'openingExceptions[1].date',
  ],
  [
    'an exception on 30 February',
    { openingExceptions: [exception('2030-02-30')] },
    'openingExceptions[0].date',
  ],
  [
    'an exception that closes at once',
    { openingExceptions: [exception('2030-01-01', ['09:00', '10:00'], ['11:00', '11:00'])] },
    'openingExceptions[0].hours[1].closes',
  ],
  [
    'an exception with hours that overlap',
    { openingExceptions: [exception('2030-01-01', ['09:00', '10:00'], ['09:30', '11:00'])] },
    'openingExceptions[0].hours[1]',
  ],
  [
    'an exception of seven hours',
    {
      openingExceptions: [
        exception('2030-01-01', ...many(7, (n): [string, string] => [`1${n}:00`, `1${n}:30`])),
      ],
    },
    'openingExceptions[0].hours',
  ],
  [
    'a reason of 201 characters',
    { openingExceptions: [{ ...exception('2030-01-01'), reason: 'x'.repeat(201) }] },
    'openingExceptions[0].reason',
  ],
  ['a step of zero', { bookingRules: { stepMinutes: 0 } }, 'bookingRules.stepMinutes'],
  [
    'a step that does not divide the day',
    { bookingRules: { stepMinutes: 7 } },
    'bookingRules.stepMinutes',
  ],
  ['a step of two days', { bookingRules: { stepMinutes: 2_880 } }, 'bookingRules.stepMinutes'],
  [
    'a minimum off the grid',
    { bookingRules: { stepMinutes: 20, minMinutes: 30 } },
    'bookingRules.minMinutes',
  ],
  ['a minimum of zero', { bookingRules: { minMinutes: 0 } }, 'bookingRules.minMinutes'],
  ['a maximum off the grid', { bookingRules: { maxMinutes: 100 } }, 'bookingRules.maxMinutes'],
  [
    'a maximum of more than 31 days',
    { bookingRules: { maxMinutes: 44_670 } },
    'bookingRules.maxMinutes',
  ],
  [
    'a maximum below the minimum',
    { bookingRules: { minMinutes: 120, maxMinutes: 90 } },
    'bookingRules.maxMinutes',
  ],
  ['negative notice', { bookingRules: { minNoticeMinutes: -1 } }, 'bookingRules.minNoticeMinutes'],
  [
    'notice of more than a year',
    { bookingRules: { minNoticeMinutes: 525_601 } },
    'bookingRules.minNoticeMinutes',
  ],
  [
    'notice of more than the days ahead',
    { bookingRules: { minNoticeMinutes: 1_441, maxAdvanceDays: 1 } },
    'bookingRules.minNoticeMinutes',
  ],
  [
    'bookings 3651 days ahead',
    { bookingRules: { maxAdvanceDays: 3_651 } },
    'bookingRules.maxAdvanceDays',
  ],
  [
    'a buffer of more than a day',
    { bookingRules: { bufferBeforeMinutes: 1_441 } },
    'bookingRules.bufferBeforeMinutes',
  ],
  [
    'a negative buffer',
    { bookingRules: { bufferAfterMinutes: -1 } },
    'bookingRules.bufferAfterMinutes',
  ],
  ['approval in no time', { bookingRules: { approvalHours: 0 } }, 'bookingRules.approvalHours'],
  ['approval in 721 hours', { bookingRules: { approvalHours: 721 } }, 'bookingRules.approvalHours'],
  ['51 price rules', { priceRules: many(51, () => ({ name: 'x', hourlyRate: 1 })) }, 'priceRules'],
  ['a price rule without a name', rule({ name: ' ' }), 'priceRules[0].name'],
  ['a price rule of no days', rule({ days: [] }), 'priceRules[0].days'],
  [
    'a price rule that names a day twice',
    rule({ days: ['MONDAY', 'MONDAY'] }),
    'priceRules[0].days[1]',
  ],
  ['a price rule from 24:00', rule({ from: '24:00' }), 'priceRules[0].from'],
  ['a price rule to 24:01', rule({ from: '20:00', to: '24:01' }), 'priceRules[0].to'],
  ['a price rule that ends as it begins', rule({ from: '20:00', to: '20:00' }), 'priceRules[0].to'],
  ['a price rule to the midnight at which it begins', rule({ to: '00:00' }), 'priceRules[0].to'],
  ['a price rule from 31 April', rule({ firstDate: '2030-04-31' }), 'priceRules[0].firstDate'],
  ['a price rule to 29 February 2030', rule({ lastDate: '2030-02-29' }), 'priceRules[0].lastDate'],
  [
    'a price rule that ends before its first date',
    rule({ firstDate: '2030-02-02', lastDate: '2030-02-01' }),
    'priceRules[0].lastDate',
  ],
  ['a price rule with a negative rate', rule({ hourlyRate: -1 }), 'priceRules[0].hourlyRate'],
  ['no included people', { includedHeadcount: 0 }, 'includedHeadcount'],
  ['more included people than places', { includedHeadcount: 11 }, 'includedHeadcount'],
  ['a negative rate for further people', { extraPersonHourlyRate: -1 }, 'extraPersonHourlyRate'],
  ['31 add-ons', { addOns: many(31, () => addOn()) }, 'addOns'],
  ['an add-on with an id', { addOns: [addOn({ id: randomUUID() })] }, 'addOns[0].id'],
  ['an add-on without a name', { addOns: [addOn(), addOn({ name: '' })] }, 'addOns[1].name'],
  ['an add-on with a negative price', { addOns: [addOn({ price: -1 })] }, 'addOns[0].price'],
  ['an add-on of no pieces', { addOns: [addOn({ maxQuantity: 0 })] }, 'addOns[0].maxQuantity'],
  ['a country in lower case', { holidayCountry: 'kr' }, 'holidayCountry'],
  ['a country of three letters', { holidayCountry: 'KOR' }, 'holidayCountry'],
  ['a country that does not exist', { holidayCountry: 'XQ' }, 'holidayCountry'],
  ['an unknown country', { holidayCountry: 'ZZ' }, 'holidayCountry'],
  ['no country', { holidayCountry: '' }, 'holidayCountry'],
  ['a negative VAT', { vatPercent: -1 }, 'vatPercent'],
  ['a VAT of 101 %', { vatPercent: 101 }, 'vatPercent'],
  ['21 photos', { photos: many(21, () => ({ url: 'https://a.example/', alt: '' })) }, 'photos'],
  ['a photo over http', photo('http://a.example/1.jpg'), 'photos[0].url'],
  ['a photo that is a script', photo('javascript:alert(1)'), 'photos[0].url'],
  ['a photo that is its own data', photo('data:image/png;base64,AA=='), 'photos[0].url'],
  ['a photo with credentials', photo('https://a:b@c.example/1.jpg'), 'photos[0].url'],
  ['a photo with a user', photo('https://a@c.example/1.jpg'), 'photos[0].url'],
  ['a photo without a host', photo('https:///1.jpg'), 'photos[0].url'],
  ['a photo without slashes', photo('https:a.example/1.jpg'), 'photos[0].url'],
  ['a photo with a backslash', photo('https://\\a.example/1.jpg'), 'photos[0].url'],
  ['a photo behind a space', photo(' https://a.example/1.jpg'), 'photos[0].url'],
  ['a photo with a line break', photo('https://a.example/1\n.jpg'), 'photos[0].url'],
  ['a photo of 2001 characters', photo(`https://a.example/${'x'.repeat(1_983)}`), 'photos[0].url'],
  ['a photo that is no text of an address', photo('https://[1/'), 'photos[0].url'],
  [
    'an alternative text of 201 characters',
    photo('https://a.example/', 'x'.repeat(201)),
    'photos[0].alt',
  ],
  ['51 amenities', { amenities: many(51, String) }, 'amenities'],
  ['a blank amenity', { amenities: ['WLAN', '  '] }, 'amenities[1]'],
  ['an amenity of 51 characters', { amenities: ['x'.repeat(51)] }, 'amenities[0]'],
  ['an amenity of two lines', { amenities: ['a\nb'] }, 'amenities[0]'],
  ['an amenity twice in another case', { amenities: ['Wi-Fi', 'WLAN', ' wi-fi'] }, 'amenities[2]'],
  [
    'an amenity twice in another encoding',
    { amenities: ['caf\u00e9', 'cafe\u0301'] },
    'amenities[1]',
  ],
];

describe('the terms of a listed space', () => {
  test.each(wrong)(
    'a listing with %s is refused, and the refusal names the field',
    (_name, changes, field) => {
      expect(list(changes)).toEqual({
        type: 'InvalidSpace',
        field,
        message: expect.stringMatching(/^[A-Z"].*\.$/),
      });
    },
  );

  test.each<[string, Partial<SpaceListing>]>([
    ['a capacity of 100000', { capacity: 100_000 }],
    ['400 exceptions', { openingExceptions: many(400, (n) => exception(dateAt(n))) }],
    [
      'an exception on 29 February of a leap year',
      { openingExceptions: [exception('2032-02-29')] },
    ],
    [
      'rules at their limits',
      {
        bookingRules: {
          ...{ stepMinutes: 1_440, minMinutes: 1_440, maxMinutes: 44_640 },
          ...{ minNoticeMinutes: 525_600, maxAdvanceDays: 3_650, approvalHours: 720 },
          ...{ bufferBeforeMinutes: 1_440, bufferAfterMinutes: 1_440 },
        },
      },
    ],
    ['notice of all days ahead', { bookingRules: { minNoticeMinutes: 1_440, maxAdvanceDays: 1 } }],
    ['a step of one minute', { bookingRules: { stepMinutes: 1, minMinutes: 1, maxMinutes: 1 } }],
    ['50 price rules', { priceRules: many(50, () => ({ name: 'x', hourlyRate: MAX_INT })) }],
    ['a price rule over midnight', rule({ from: '22:00', to: '06:00' })],
    ['a price rule until midnight', rule({ from: '22:00', to: '00:00' })],
    ['a price rule for the whole day', rule({ from: '00:00', to: '24:00' })],
    ['a price rule from a time on', rule({ from: '18:00' })],
    ['a price rule of one date', rule({ firstDate: '2030-02-02', lastDate: '2030-02-02' })],
    ['the largest amounts', { hourlyRate: MAX_INT, extraPersonHourlyRate: MAX_INT }],
    ['30 add-ons', { addOns: many(30, () => addOn({ price: MAX_INT, maxQuantity: 100_000 })) }],
    ['no VAT', { vatPercent: 0 }],
    ['a VAT of 100 %', { vatPercent: 100 }],
    ['a photo of 2000 characters', photo(`https://a.example/${'x'.repeat(1_982)}`)],
    ['a photo with a port and a query', photo('HTTPS://a.example:8443/1.jpg?w=1#a')],
    ['50 amenities', { amenities: many(50, String) }],
    ['amenities in Korean', { amenities: ['주차', '와이파이'] }],
  ])('a listing with %s is accepted', (_name, changes) => {
    expect(list(changes)).not.toHaveProperty('type');
  });

  test('terms that are null have their defaults', () => {
    const nothing = Object.fromEntries(
      [
        ...['openingHours', 'openingExceptions', 'refundTiers', 'bookingMode', 'bookingRules'],
        ...['priceRules', 'includedHeadcount', 'extraPersonHourlyRate', 'addOns'],
        ...['holidayCountry', 'vatPercent', 'photos', 'amenities'],
      ].map((field) => [field, null]),
    );
    expect(list(nothing)).toEqual(list({}));
    const parts = Object.fromEntries(Object.keys(DEFAULT_BOOKING_RULES).map((key) => [key, null]));
    expect(list({ bookingRules: parts })).toEqual(list({}));
    expect(
      list({
        openingExceptions: [{ ...exception('2030-01-01'), reason: null }],
        addOns: [addOn({ maxQuantity: null })],
      }),
    ).toMatchObject({ openingExceptions: [{ reason: '' }], addOns: [{ maxQuantity: 1 }] });
  });

  test.each([
    [{ stepMinutes: 15 }, 30, 44_640],
    [{ stepMinutes: 60 }, 60, 44_640],
    [{ stepMinutes: 20 }, 20, 44_640],
    [{ stepMinutes: 1_440 }, 1_440, 44_640],
    [{ stepMinutes: 15, maxMinutes: 15 }, 15, 15],
    [{ maxMinutes: 60 }, 30, 60],
  ])('the booking rules %j without a minimum have the minimum %i', (bookingRules, min, max) => {
    expect(list({ bookingRules })).toMatchObject({
      bookingRules: { ...DEFAULT_BOOKING_RULES, ...bookingRules, minMinutes: min, maxMinutes: max },
    });
  });
});
