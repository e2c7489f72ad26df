import { describe, expect, test } from '@jest/globals';
import { type BookingRecords, findViolations } from '../../src/domain/consistency.ts';
import { cancelled, END, records } from './booking-records.ts';

const broken = (records: BookingRecords) =>
  findViolations(records).map(({ invariant }) => invariant);

describe('the comparison of a booking across the contexts', () => {
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
      'a cancelled booking that was refunded less than quoted and left, alongside goodwill',
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
