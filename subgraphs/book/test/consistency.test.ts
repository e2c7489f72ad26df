import { describe, expect, test } from '@jest/globals';
import { type BookingRecords, findViolations } from '../src/domain/consistency.ts';

const SPACE = 'space-1';
const START = new Date('2030-01-31T10:00:00Z');
const END = new Date('2030-01-31T12:00:00Z');

type Changes = { [Name in keyof BookingRecords]?: Partial<BookingRecords[Name]> | null };

/** A confirmed booking of 30,000 as all contexts store it, with changes. */
function records(changes: Changes = {}): BookingRecords {
  const confirmed = {
    booking: {
      id: 'booking-1',
      status: 'REGISTERED',
      spaceId: SPACE,
      startAt: START,
      endAt: END,
      price: 30_000,
      refund: null,
      overlaps: 0,
      isPassing: false,
    },
    payment: {
      paymentId: 'payment-1',
      status: 'APPROVED',
      amount: 30_000,
      refunded: 0,
      goodwill: 0,
      refundedForChanges: 0,
      refundDue: null,
      isPassing: false,
      chargedByProvider: true,
    },
    registration: {
      paymentId: 'payment-1',
      spaceId: SPACE,
      startAt: START.toISOString(),
      endAt: END.toISOString(),
      status: 'REGISTERED',
      isPassing: false,
      overlaps: 0,
    },
    view: {
      status: 'REGISTERED',
      paymentStatus: 'APPROVED',
      refunded: 0,
      registrationStatus: 'REGISTERED',
    },
  };
  const changed = Object.entries(confirmed).map(([name, record]) => {
    const change = changes[name as keyof typeof confirmed];
    return [name, change === null ? null : { ...record, ...change }];
  });
  return { bookingId: 'booking-1', ...Object.fromEntries(changed) } as BookingRecords;
}

/** The same, cancelled with 15,000 refunded, with changes. */
const cancelled = (changes: Changes = {}) =>
  records({
    booking: { status: 'CANCELLED', refund: 15_000, ...changes.booking },
    payment: {
      status: 'PARTIALLY_REFUNDED',
      refunded: 15_000,
      refundDue: 15_000,
      ...changes.payment,
    },
    registration: { status: 'CANCELLED', ...changes.registration },
    view: {
      status: 'CANCELLED',
      paymentStatus: 'PARTIALLY_REFUNDED',
      refunded: 15_000,
      registrationStatus: 'CANCELLED',
      ...changes.view,
    },
  });

const broken = (records: BookingRecords) =>
  findViolations(records).map(({ invariant }) => invariant);

describe('the comparison of a booking across the contexts', () => {
  test('a confirmed and a cancelled booking violate nothing', () => {
    expect(findViolations(records())).toEqual([]);
    expect(findViolations(cancelled())).toEqual([]);
  });

  test.each([
    ['a part of it', 10_000, 'PARTIALLY_REFUNDED'],
    ['all of it', 30_000, 'REFUNDED'],
  ])(
    'a confirmed booking of which operators gave back %s violates nothing',
    (_, goodwill, status) => {
      expect(
        findViolations(
          records({
            payment: { status, refunded: goodwill, goodwill },
            view: { paymentStatus: status, refunded: goodwill },
          }),
        ),
      ).toEqual([]);
    },
  );

  test.each([
    ['cheaper', 45_000, 15_000, 0],
    ['dearer', 30_000, 0, 0],
    ['cheaper beside goodwill', 45_000, 15_000, 10_000],
  ])(
    'a confirmed booking that a change made %s violates nothing',
    (_, amount, refundedForChanges, goodwill) => {
      const refunded = refundedForChanges + goodwill;
      const whole = refunded === amount ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
      const status = refunded === 0 ? 'APPROVED' : whole;
      expect(
        findViolations(
          records({
            payment: { status, amount, refunded, refundedForChanges, goodwill },
            view: { paymentStatus: status, refunded },
          }),
        ),
      ).toEqual([]);
    },
  );

  test('a cancelled booking that was refunded what changes had left violates nothing', () => {
    const refunded = { refunded: 35_000, refundedForChanges: 20_000 };
    expect(
      findViolations(
        cancelled({ payment: { amount: 50_000, ...refunded }, view: { refunded: 35_000 } }),
      ),
    ).toEqual([]);
  });

  test.each([
    ['before the cancellation, which was refunded what was left', 20_000, 10_000],
    ['before or after the cancellation, which was refunded as quoted', 5_000, 15_000],
    ['whole before the cancellation, which refunded nothing', 30_000, 0],
  ])('a cancelled booking with goodwill given %s violates nothing', (_, goodwill, refundDue) => {
    const refunded = goodwill + refundDue;
    const status = refunded === 30_000 ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
    expect(
      findViolations(
        cancelled({
          payment: { status, refunded, goodwill, refundDue },
          view: { paymentStatus: status, refunded },
        }),
      ),
    ).toEqual([]);
  });

  test('a declined booking without a charge violates nothing', () => {
    const declined = records({
      booking: { status: 'DECLINED' },
      payment: { status: 'DECLINED', chargedByProvider: false },
      registration: null,
      view: { status: 'DECLINED', paymentStatus: 'DECLINED', registrationStatus: null },
    });
    expect(findViolations(declined)).toEqual([]);
  });

  test('a booking that expired before its payment was charged violates nothing', () => {
    const expired = records({
      booking: { status: 'EXPIRED' },
      payment: { status: 'VOIDED', chargedByProvider: false },
      registration: { status: 'CANCELLED', paymentId: null },
      view: { status: 'EXPIRED', paymentStatus: null, registrationStatus: 'CANCELLED' },
    });
    expect(findViolations(expired)).toEqual([]);
  });

  test.each<[string, BookingRecords, string[]]>([
    [
      'a live slot that overlaps another',
      records({ booking: { overlaps: 1 } }),
      ['live-slots-do-not-overlap'],
    ],
    [
      'a registered use that overlaps another',
      records({ registration: { overlaps: 2 } }),
      ['registered-uses-do-not-overlap'],
    ],
    [
      'a confirmed booking that is not registered',
      records({ registration: null, view: { registrationStatus: null } }),
      ['confirmed-is-paid-and-registered'],
    ],
    [
      'a confirmed booking that is registered for another time',
      records({ registration: { startAt: END.toISOString() } }),
      ['confirmed-is-paid-and-registered'],
    ],
    [
      'a confirmed booking that is registered for another payment',
      records({ registration: { paymentId: 'payment-2' } }),
      ['confirmed-is-paid-and-registered'],
    ],
    [
      'a confirmed booking that was paid with another amount',
      records({ payment: { amount: 29_999 } }),
      ['confirmed-is-paid-and-registered'],
    ],
    [
      'a confirmed booking without a payment',
      records({ payment: null, view: { paymentStatus: null }, registration: { paymentId: null } }),
      ['confirmed-is-paid-and-registered', 'confirmed-is-paid-and-registered'],
    ],
    [
      'a confirmed booking of which a refund is due',
      records({ payment: { refundDue: 10 } }),
      ['standing-booking-is-not-refunded'],
    ],
    [
      'an expired booking whose charge is not refunded',
      records({
        booking: { status: 'EXPIRED' },
        registration: { status: 'CANCELLED' },
        view: { status: 'EXPIRED', registrationStatus: 'CANCELLED' },
      }),
      ['approved-is-confirmed-or-refunded', 'charge-is-refunded-as-quoted'],
    ],
    [
      'a cancelled booking that is still registered',
      cancelled({
        registration: { status: 'REGISTERED' },
        view: { registrationStatus: 'REGISTERED' },
      }),
      ['registered-is-confirmed'],
    ],
    [
      'a cancelled booking that was refunded twice',
      cancelled({ payment: { refunded: 30_000 }, view: { refunded: 30_000 } }),
      ['charge-is-refunded-as-quoted'],
    ],
    [
      'a cancelled booking that was refunded less than quoted and left, beside goodwill',
      cancelled({ payment: { refunded: 17_000, goodwill: 5_000 }, view: { refunded: 17_000 } }),
      ['charge-is-refunded-as-quoted'],
    ],
    [
      'a cancelled booking to which goodwill was paid instead of the quoted refund',
      cancelled({ payment: { goodwill: 15_000 } }),
      ['charge-is-refunded-as-quoted'],
    ],
    [
      'a confirmed booking that was refunded more than its goodwill',
      records({
        payment: { status: 'PARTIALLY_REFUNDED', refunded: 6_000, goodwill: 5_000 },
        view: { paymentStatus: 'PARTIALLY_REFUNDED', refunded: 6_000 },
      }),
      ['standing-booking-is-not-refunded'],
    ],
    [
      'a confirmed booking of which a change left more than the price',
      records({
        payment: {
          ...{ status: 'PARTIALLY_REFUNDED', amount: 50_000 },
          ...{ refunded: 10_000, refundedForChanges: 10_000 },
        },
        view: { paymentStatus: 'PARTIALLY_REFUNDED', refunded: 10_000 },
      }),
      ['confirmed-is-paid-and-registered'],
    ],
    [
      'a confirmed booking whose payment was refunded without goodwill',
      records({
        payment: { status: 'PARTIALLY_REFUNDED', refunded: 6_000 },
        view: { paymentStatus: 'PARTIALLY_REFUNDED', refunded: 6_000 },
      }),
      ['confirmed-is-paid-and-registered', 'standing-booking-is-not-refunded'],
    ],
    [
      'a charge that the provider does not know',
      records({ payment: { chargedByProvider: false } }),
      ['payment-agrees-with-provider'],
    ],
    [
      'a view with an older status',
      records({ view: { status: 'PAID' } }),
      ['view-shows-the-booking'],
    ],
    ['a booking without a view', records({ view: null }), ['view-shows-the-booking']],
    ['records without a booking', records({ booking: null }), ['every-record-has-its-booking']],
  ])('the comparison finds %s', (_, records, invariants) => {
    expect(broken(records)).toEqual(invariants);
  });

  test.each<[string, BookingRecords]>([
    ['a booking that is being cancelled', cancelled({ booking: { status: 'CANCELLING' } })],
    [
      'a booking with an unacknowledged event',
      records({ booking: { isPassing: true }, view: null }),
    ],
    ['a refund that is under way', cancelled({ payment: { refunded: 0, isPassing: true } })],
    [
      'a registration with an unacknowledged event',
      records({ registration: { isPassing: true }, view: { registrationStatus: null } }),
    ],
  ])('the comparison waits for %s', (_, records) => {
    expect(findViolations(records)).toEqual([]);
  });

  test('the comparison does not check the charge while the provider does not respond', () => {
    expect(findViolations(records({ payment: { chargedByProvider: null } }))).toEqual([]);
  });
});
