import { describe, expect, test } from '@jest/globals';
import { Booking } from '../../src/domain/booking.ts';
import type { BookingRequest } from '../../src/domain/booking-request.ts';
import { MAX_AMOUNT } from '../../src/domain/money.ts';
import {
  ANY_SLOT,
  aBooking,
  aRequest,
  aSpace,
  CONTEXT,
  legal,
  NOW,
  secondsAfter,
} from '../a-booking.ts';
import { HOLD_END } from './bookings.ts';

const { slot } = aRequest();
const days = (count: number) => count * 86_400;

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
      priceLines: [
        { kind: 'RATE', label: 'Base rate', quantity: 2, unitPrice: 30_000, amount: 60_000 },
      ],
      vat: { amount: 5_455, currency: 'KRW' },
      bufferBeforeMinutes: 0,
      bufferAfterMinutes: 0,
      decision: null,
      rejectionReason: null,
      goodwill: { amount: 0, currency: 'KRW' },
      openChange: null,
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
    const booking = aBooking(
      { slot: wanted },
      { space: aSpace({ hourlyRate, bookingRules: ANY_SLOT }) },
    );
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
      { slot: { ...slot, endAt: secondsAfter(slot.startAt, days(31) + 1_800) } },
      'slot',
    ],
    ['a headcount of zero', { headcount: 0 }, 'headcount'],
    ['a negative headcount', { headcount: -1 }, 'headcount'],
    ['more people than fit', { headcount: 11 }, 'headcount'],
    ['no payment method', { paymentMethod: ' ' }, 'paymentMethod'],
    [
      'a slot off the grid',
      { slot: { ...slot, startAt: secondsAfter(slot.startAt, 60) } },
      'slot.startAt',
    ],
    [
      'an unknown add-on',
      { addOns: [{ addOnId: '01900000-0000-7000-8000-00000000000a', quantity: 1 }] },
      'addOns[0].addOnId',
    ],
    ['a note of 501 characters', { note: 'n'.repeat(501) }, 'note'],
    ['a note with a control character', { note: 'bell \u0007' }, 'note'],
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
      'a slot that starts in half an hour',
      { slot: { startAt: secondsAfter(NOW, 1_800), endAt: secondsAfter(NOW, 3_600) } },
    ],
    [
      'a slot of exactly 31 days',
      { slot: { ...slot, endAt: secondsAfter(slot.startAt, days(31)) } },
    ],
    ['a note of 500 characters in lines', { note: `${'n'.repeat(499)}\n` }],
    ['one person', { headcount: 1 }],
    ['as many people as fit', { headcount: 10 }],
    ['a key of 200 characters', { idempotencyKey: 'k'.repeat(200) }],
  ])('a request with %s is accepted', (_name, changes) => {
    expect(Booking.request(aRequest(changes), aSpace(), CONTEXT)).toBeInstanceOf(Booking);
  });
});

describe('a request to a space that asks its host', () => {
  const space = (approvalHours: number) =>
    aSpace({ bookingMode: 'APPROVAL', bookingRules: { ...ANY_SLOT, approvalHours } });

  test('the request awaits approval, keeps its payment method and holds the slot for as long as the host may take', () => {
    const { state, live, awaitsPayment } = aBooking({}, { space: space(24) });
    expect(state).toMatchObject({
      status: 'AWAITING_APPROVAL',
      paymentMethod: 'pm_ok',
      holdExpiresAt: secondsAfter(NOW, days(1)),
      nextPaymentAttemptAt: secondsAfter(NOW, days(1)),
      paymentAttempts: 0,
    });
    expect([live, awaitsPayment]).toEqual([true, false]);
  });

  test('the host may not take longer than to the start', () => {
    const { state } = aBooking({}, { space: space(720), now: secondsAfter(slot.startAt, -60) });
    expect(state.holdExpiresAt).toEqual(slot.startAt);
  });

  test('an approval before the deadline requests the payment within a hold of the usual length', () => {
    const deadline = secondsAfter(NOW, days(1));
    const booking = aBooking({}, { space: space(24) });
    const lastMoment = new Date(deadline.getTime() - 1);
    expect(legal(booking.approve(lastMoment, 900)).state).toMatchObject({
      status: 'REQUESTED',
      decision: 'APPROVED',
      holdExpiresAt: secondsAfter(lastMoment, 900),
      nextPaymentAttemptAt: secondsAfter(lastMoment, 5),
      paymentAttempts: 1,
      paymentMethod: 'pm_ok',
    });
    expect(booking.approve(deadline, 900)).toMatchObject({ type: 'IllegalTransition' });
    expect(booking.reject(deadline, 'no')).toMatchObject({ type: 'IllegalTransition' });
    expect(legal(booking.expire(deadline)).state.status).toBe('EXPIRED');
    expect(booking.expire(lastMoment)).toMatchObject({ type: 'IllegalTransition' });
  });
});

describe('a request shortly before its slot', () => {
  test('the hold ends with the start of the slot: nobody pays for a use that has begun', () => {
    const now = secondsAfter(slot.startAt, -60);
    const { state } = aBooking({}, { now });
    expect(state.holdExpiresAt).toEqual(slot.startAt);
    const awaiting = aBooking({}, { now, space: aSpace({ bookingMode: 'APPROVAL' }) });
    const approved = legal(awaiting.approve(secondsAfter(slot.startAt, -1), 900)).state;
    expect(approved.holdExpiresAt).toEqual(slot.startAt);
    expect(approved.nextPaymentAttemptAt).toEqual(slot.startAt);
  });
});

describe('buffers', () => {
  test('a booking holds its slot with the buffers of its space, and the price is of the slot alone', () => {
    const space = aSpace({
      bookingRules: { ...ANY_SLOT, bufferBeforeMinutes: 15, bufferAfterMinutes: 45 },
    });
    const booking = aBooking({}, { space });
    expect(booking.hold).toEqual({
      startAt: secondsAfter(slot.startAt, -900),
      endAt: secondsAfter(slot.endAt, 2_700),
    });
    expect(booking.state.price.amount).toBe(60_000);
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
    ['note', { note: 'We bring a dog.' }],
    ['add-on', { addOns: [{ addOnId: '01900000-0000-7000-8000-00000000000a', quantity: 1 }] }],
  ])('a request with another %s is another request', (_what, changes) => {
    expect(booking.isSameRequest({ ...request, ...changes }, true)).toBe(false);
  });

  test('a request with another payment method is another request', () => {
    expect(booking.isSameRequest(request, false)).toBe(false);
  });
});
