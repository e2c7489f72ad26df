import { describe, expect, test } from '@jest/globals';
import { Booking } from '../../src/domain/booking.ts';
import type { BookingRequest } from '../../src/domain/booking-request.ts';
import { MAX_AMOUNT } from '../../src/domain/money.ts';
import { aBooking, aRequest, aSpace, CONTEXT, legal, NOW, secondsAfter } from '../a-booking.ts';
import { HOLD_END } from './bookings.ts';

const { slot } = aRequest();

describe('a request', () => {
  test('a request freezes price, refund tiers and the end of the hold, and its payment is due', () => {
    const space = aSpace();
    const request = aRequest();
    const booking = legal(Booking.request(request, space, CONTEXT));
    expect(booking.state).toEqual({
      ...request,
      id: 'b1',
      hostId: 'hana',
      spaceName: 'Loft',
      timeZone: 'Asia/Seoul',
      price: { amount: 60_000, currency: 'KRW' },
      refundTiers: space.refundTiers,
      status: 'REQUESTED',
      version: 1,
      requestedAt: NOW,
      holdExpiresAt: HOLD_END,
      paymentAttempts: 1,
      nextPaymentAttemptAt: secondsAfter(NOW, 5),
      refund: null,
      paymentCancelled: false,
      registrationCancelled: false,
      correlationId: 'c1',
    });
  });

  test.each([
    ['a third of an hour of 100', 100, 20, 33],
    ['half a minor unit, rounded up', 1, 30, 1],
    ['just less than half, but not for nothing', 1, 29, 1],
    ['two and a half, rounded up', 5, 30, 3],
    ['nothing for a space that is free', 0, 60, 0],
  ])('the price is %s', (_name, hourlyRate, minutes, price) => {
    const wanted = { startAt: slot.startAt, endAt: secondsAfter(slot.startAt, minutes * 60) };
    const booking = aBooking({ slot: wanted }, { space: aSpace({ hourlyRate }) });
    expect(booking.state.price.amount).toBe(price);
  });

  test('a request is refused when its price exceeds the maximum amount, and not a minor unit before', () => {
    const twoHours = aRequest();
    const rate = (MAX_AMOUNT - 1) / 2;
    expect(
      legal(Booking.request(twoHours, aSpace({ hourlyRate: rate }), CONTEXT)).state.price.amount,
    ).toBe(MAX_AMOUNT - 1);
    expect(Booking.request(twoHours, aSpace({ hourlyRate: rate + 1 }), CONTEXT)).toMatchObject({
      type: 'InvalidBookingRequest',
      field: 'slot',
      message: expect.stringContaining('2147483647'),
    });
  });

  const days = (count: number) => count * 86_400;
  const wrong: [string, Partial<BookingRequest>, string][] = [
    ['a slot that ends as it starts', { slot: { ...slot, endAt: slot.startAt } }, 'slot.endAt'],
    [
      'a slot that ends first',
      { slot: { startAt: slot.endAt, endAt: slot.startAt } },
      'slot.endAt',
    ],
    [
      'a slot that starts now',
      { slot: { startAt: NOW, endAt: secondsAfter(NOW, 60) } },
      'slot.startAt',
    ],
    [
      'a slot in the past',
      { slot: { startAt: secondsAfter(NOW, -60), endAt: secondsAfter(NOW, 60) } },
      'slot.startAt',
    ],
    [
      'a slot longer than 31 days',
      { slot: { ...slot, endAt: secondsAfter(slot.startAt, days(31) + 1) } },
      'slot',
    ],
    ['a headcount of zero', { headcount: 0 }, 'headcount'],
    ['a negative headcount', { headcount: -1 }, 'headcount'],
    ['more people than fit', { headcount: 11 }, 'headcount'],
    ['no payment method', { paymentMethod: ' ' }, 'paymentMethod'],
    ['an empty key', { idempotencyKey: '' }, 'idempotencyKey'],
    ['a blank key', { idempotencyKey: ' \t' }, 'idempotencyKey'],
    ['a key of 201 characters', { idempotencyKey: 'k'.repeat(201) }, 'idempotencyKey'],
  ];
  test.each(wrong)('a request with %s is refused and names the field', (_name, changes, field) => {
    expect(Booking.request(aRequest(changes), aSpace(), CONTEXT)).toEqual({
      type: 'InvalidBookingRequest',
      field,
      message: expect.stringMatching(/\.$/),
    });
  });

  test('a request outside the opening hours is refused with the name and zone of the space', () => {
    const space = aSpace({ openingHours: [{ day: 'MONDAY', opens: '09:00', closes: '11:59' }] });
    expect(Booking.request(aRequest(), space, CONTEXT)).toEqual({
      type: 'InvalidBookingRequest',
      field: 'slot',
      message: 'The slot must lie within the opening hours of Loft (Asia/Seoul).',
    });
  });

  test.each<[string, Partial<BookingRequest>]>([
    [
      'a slot that starts in a millisecond',
      { slot: { ...slot, startAt: new Date(NOW.getTime() + 1), endAt: secondsAfter(NOW, 60) } },
    ],
    [
      'a slot of exactly 31 days',
      { slot: { ...slot, endAt: secondsAfter(slot.startAt, days(31)) } },
    ],
    ['one person', { headcount: 1 }],
    ['as many people as fit', { headcount: 10 }],
    ['a key of 200 characters', { idempotencyKey: 'k'.repeat(200) }],
  ])('a request with %s is accepted', (_name, changes) => {
    expect(Booking.request(aRequest(changes), aSpace(), CONTEXT)).toBeInstanceOf(Booking);
  });
});

describe('a repeated request', () => {
  const request = aRequest();
  const booking = aBooking(request);

  test('an equal request is recognised by its contents', () => {
    expect(booking.isSameRequest(structuredClone(request), true)).toBe(true);
  });

  test.each<[string, Partial<BookingRequest>]>([
    ['space', { spaceId: 'other' }],
    ['start', { slot: { ...slot, startAt: secondsAfter(slot.startAt, 1) } }],
    ['end', { slot: { ...slot, endAt: secondsAfter(slot.endAt, 1) } }],
    ['headcount', { headcount: 3 }],
  ])('a request with another %s is another request', (_what, changes) => {
    expect(booking.isSameRequest({ ...request, ...changes }, true)).toBe(false);
  });

  test('a request with another payment method is another request', () => {
    expect(booking.isSameRequest(request, false)).toBe(false);
  });
});
