import { describe, expect, test } from '@jest/globals';
import { isOpenDuring } from '../../src/domain/opening-hours.ts';
import { ALWAYS, on, openTexts } from './hours.ts';

describe('open periods', () => {
  const seoul = 'Asia/Seoul';
  // Monday 2030-06-03 in Seoul starts at 15:00 UTC of the day before.
  const week = ['2030-06-02T15:00Z', '2030-06-09T15:00Z'] as const;

  test('open periods that meet at midnight are one', () => {
    const night = [on('FRIDAY', '20:00', '24:00'), on('SATURDAY', '00:00', '04:00')];
    expect(openTexts(night, seoul, ...week)).toEqual(['2030-06-07T11:00Z 2030-06-07T19:00Z']);
  });

  test('open periods that meet at midnight from Sunday to Monday are one', () => {
    const night = [on('SUNDAY', '22:00', '24:00'), on('MONDAY', '00:00', '02:00')];
    expect(openTexts(night, seoul, '2030-06-02T00:00Z', '2030-06-03T00:00Z')).toEqual([
      '2030-06-02T13:00Z 2030-06-02T17:00Z',
    ]);
  });

  test('an open period that ends at 23:59 does not meet the next day', () => {
    const hours = [on('FRIDAY', '20:00', '23:59'), on('SATURDAY', '00:00', '04:00')];
    expect(openTexts(hours, seoul, ...week)).toHaveLength(2);
  });

  test('open periods leave out the lunch break, in any order of the hours', () => {
    const lunch = [on('MONDAY', '13:00', '18:00'), on('MONDAY', '09:00', '12:00')];
    expect(openTexts(lunch, seoul, ...week)).toEqual([
      '2030-06-03T00:00Z 2030-06-03T03:00Z',
      '2030-06-03T04:00Z 2030-06-03T09:00Z',
    ]);
  });

  test('open periods are cut to the range', () => {
    const hours = [on('MONDAY', '09:00', '18:00')];
    expect(openTexts(hours, seoul, '2030-06-03T02:30Z', '2030-06-03T05:00Z')).toEqual([
      '2030-06-03T02:30Z 2030-06-03T05:00Z',
    ]);
  });

  test('open periods that only touch the range are left out', () => {
    const hours = [on('MONDAY', '09:00', '18:00')];
    expect(openTexts(hours, seoul, '2030-06-03T09:00Z', '2030-06-03T12:00Z')).toEqual([]);
    expect(openTexts(hours, seoul, '2030-06-02T22:00Z', '2030-06-03T00:00Z')).toEqual([]);
  });
});

describe('a slot', () => {
  const weekdays = [
    on('MONDAY', '09:00', '12:00'),
    on('MONDAY', '13:00', '18:00'),
    on('TUESDAY', '00:00', '24:00'),
    on('WEDNESDAY', '00:00', '24:00'),
  ];
  const isOpen = (from: string, to: string, zone = 'Asia/Seoul', hours = weekdays) =>
    isOpenDuring({ startAt: new Date(from), endAt: new Date(to) }, hours, zone);

  test.each([
    ['inside', '2030-06-03T01:00Z', '2030-06-03T02:00Z', true],
    ['from opening to closing', '2030-06-03T00:00Z', '2030-06-03T03:00Z', true],
    ['a millisecond early', '2030-06-02T23:59:59.999Z', '2030-06-03T03:00Z', false],
    ['a millisecond late', '2030-06-03T00:00Z', '2030-06-03T03:00:00.001Z', false],
    ['over the lunch break', '2030-06-03T02:00Z', '2030-06-03T05:00Z', false],
    ['in the lunch break', '2030-06-03T03:00Z', '2030-06-03T04:00Z', false],
    ['over two open days', '2030-06-03T15:00Z', '2030-06-05T15:00Z', true],
    [
      'over two open days and on into a closed one',
      '2030-06-03T15:00Z',
      '2030-06-05T16:00Z',
      false,
    ],
    ['on a closed day', '2030-06-06T01:00Z', '2030-06-06T02:00Z', false],
  ])('a slot %s is bookable as the hours say', (_name, from, to, expected) => {
    expect(isOpen(from, to)).toBe(expected);
  });

  test('a slot of a month is bookable where a space never closes, also where clocks change', () => {
    expect(isOpen('2030-03-01T00:00Z', '2030-04-01T00:00Z', 'America/New_York', ALWAYS)).toBe(true);
    expect(isOpen('2030-10-20T00:00Z', '2030-11-20T00:00Z', 'America/New_York', ALWAYS)).toBe(true);
  });
});
