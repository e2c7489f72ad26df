import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type BookingStatusView,
  isComplete,
  type ProjectedEvent,
  project,
  toRevenue,
  toStatusChange,
} from '../src/booking-status-view.ts';
import {
  bookingEvent,
  paymentEvent,
  registrationEvent,
  SLOT,
  SPACE_ID,
  wholeHistory,
} from './a-history.ts';

function projectAll(events: readonly ProjectedEvent[]): BookingStatusView {
  const view = events.reduce<BookingStatusView | null>(project, null);
  if (!view) throw new Error('there are no events');
  return view;
}

describe('the projection of a booking', () => {
  test('a view has the state that its events describe', () => {
    expect(projectAll(wholeHistory())).toEqual({
      bookingId: 'b1',
      customerId: 'chulsoo',
      status: 'CANCELLED',
      spaceName: 'Loft',
      startAt: SLOT.startAt,
      endAt: SLOT.endAt,
      priceAmount: 60_000,
      currency: 'KRW',
      paymentStatus: 'PARTIALLY_REFUNDED',
      refunded: 30_000,
      registrationStatus: 'CANCELLED',
      bookingVersion: 6,
      paymentVersion: 3,
      registrationVersion: 2,
      version: 9,
      updatedAt: new Date('2030-05-01T00:00:08Z'),
      spaceId: SPACE_ID,
      hostId: null,
      headcount: null,
      note: null,
      requestedAt: null,
      decideBefore: null,
      chargedAmount: 60_000,
    });
  });

  test('a view has what the host needs to know of its newest event', () => {
    const requestedAt = new Date('2030-05-01T00:00:00Z');
    const decideBefore = new Date('2030-05-02T00:00:00Z');
    const said = { hostId: 'haru', headcount: 4, note: 'We bring a cake', requestedAt };
    const awaiting = bookingEvent(1, 'AWAITING_APPROVAL', { ...said, decideBefore });
    const approved = bookingEvent(2, 'REQUESTED', { ...said, decideBefore: null });
    expect(projectAll([awaiting])).toMatchObject({ ...said, decideBefore });
    for (const order of [
      [awaiting, approved],
      [approved, awaiting],
    ]) {
      expect(projectAll(order)).toMatchObject({ ...said, decideBefore: null });
    }
  });

  test('a view keeps the host whom only some of its events name, in any order', () => {
    const events = [
      bookingEvent(1, 'REQUESTED', { hostId: 'haru' }),
      bookingEvent(2, 'PAID'),
      paymentEvent(2, 'APPROVED'),
    ];
    const orders = fc.shuffledSubarray(events, { minLength: events.length });
    fc.assert(fc.property(orders, (order) => expect(projectAll(order).hostId).toBe('haru')));
  });

  test('a view is the same in any order of its events, and counts each of them', () => {
    const history = wholeHistory();
    const expected = projectAll(history);
    const orders = fc.shuffledSubarray(history, { minLength: history.length });
    fc.assert(fc.property(orders, (order) => expect(projectAll(order)).toEqual(expected)));
  });

  test('a view is the same in any order of any part of its events, and its version is their number', () => {
    const parts = fc
      .subarray(wholeHistory(), { minLength: 1 })
      .chain((part) =>
        fc.tuple(fc.constant(part), fc.shuffledSubarray(part, { minLength: part.length })),
      );
    fc.assert(
      fc.property(parts, ([inOrder, shuffled]) => {
        expect(projectAll(shuffled)).toEqual(projectAll(inOrder));
        expect(projectAll(shuffled).version).toBe(inOrder.length);
      }),
    );
  });

  test('a view gets a new version with every event, older ones included', () => {
    let view: BookingStatusView | null = null;
    for (const [index, event] of wholeHistory().reverse().entries()) {
      view = project(view, event);
      expect(view.version).toBe(index + 1);
    }
  });

  test('a view keeps its state when older events come late', () => {
    const late = projectAll([
      bookingEvent(3, 'REGISTERED'),
      bookingEvent(2, 'PAID'),
      paymentEvent(3, 'REFUNDED', { refunded: 60_000 }),
      paymentEvent(2, 'APPROVED'),
      registrationEvent(2, 'CANCELLED'),
      registrationEvent(1, 'REGISTERED'),
    ]);
    expect(late).toMatchObject({
      status: 'REGISTERED',
      paymentStatus: 'REFUNDED',
      refunded: 60_000,
      registrationStatus: 'CANCELLED',
    });
  });

  test.each([
    ['a payment', paymentEvent(2, 'APPROVED')],
    ['a registration', registrationEvent(1, 'REGISTERED')],
  ])('a view with events of %s only has no customer yet', (_what, event) => {
    expect(projectAll([event])).toMatchObject({
      customerId: null,
      status: null,
      startAt: null,
      version: 1,
    });
  });

  test('a view shows no payment when it was voided', () => {
    expect(projectAll([paymentEvent(2, 'VOIDED')]).paymentStatus).toBeNull();
  });

  test('a view shows a failed refund until it is completed', () => {
    const cancelled = [bookingEvent(4, 'CANCELLING'), paymentEvent(2, 'APPROVED')];
    const failed = paymentEvent(3, 'REFUND_FAILED');
    const completed = paymentEvent(4, 'REFUNDED', { refunded: 60_000 });
    expect(projectAll([...cancelled, failed])).toMatchObject({
      paymentStatus: 'REFUND_FAILED',
      refunded: 0,
    });
    const refunded = { paymentStatus: 'REFUNDED', refunded: 60_000 };
    expect(projectAll([...cancelled, failed, completed])).toMatchObject(refunded);
    expect(projectAll([...cancelled, completed, failed])).toMatchObject(refunded);
  });

  test('a view shows what operators gave back, before a cancellation and after it', () => {
    const given = paymentEvent(3, 'PARTIALLY_REFUNDED', { refunded: 20_000 });
    const cancelled = paymentEvent(4, 'PARTIALLY_REFUNDED', { refunded: 40_000 });
    const rest = paymentEvent(5, 'REFUNDED', { refunded: 60_000 });
    const registered = [bookingEvent(3, 'REGISTERED'), paymentEvent(2, 'APPROVED')];
    expect(projectAll([...registered, given])).toMatchObject({
      status: 'REGISTERED',
      paymentStatus: 'PARTIALLY_REFUNDED',
      refunded: 20_000,
    });
    const refunded = { paymentStatus: 'REFUNDED', refunded: 60_000 };
    expect(projectAll([...registered, given, cancelled, rest])).toMatchObject(refunded);
    expect(projectAll([...registered, rest, given, cancelled])).toMatchObject(refunded);
  });

  test('a projection does not change the previous view', () => {
    const before = projectAll([bookingEvent(1, 'REQUESTED')]);
    const copy = structuredClone(before);
    project(before, bookingEvent(2, 'PAID'));
    expect(before).toEqual(copy);
  });
});

describe('the completeness of a view', () => {
  const cancelled = bookingEvent(5, 'CANCELLED');
  const approved = paymentEvent(2, 'APPROVED');
  const refunded = paymentEvent(3, 'REFUNDED');
  const registered = registrationEvent(1, 'REGISTERED');
  const unregistered = registrationEvent(2, 'CANCELLED');

  test.each([
    ['is not complete while the booking is paid', [bookingEvent(2, 'PAID'), approved], false],
    ['is not complete without an event of its payment', [cancelled], false],
    ['is not complete before the refund', [cancelled, approved], false],
    ['is not complete while its use is registered', [cancelled, refunded, registered], false],
    [
      'is complete when booking, payment and registration are final',
      [cancelled, refunded, registered, unregistered],
      true,
    ],
    ['is complete when nothing was charged', [cancelled, paymentEvent(1, 'VOIDED')], true],
    [
      'is complete when it was declined',
      [bookingEvent(2, 'DECLINED'), paymentEvent(2, 'DECLINED')],
      true,
    ],
    ['is complete when its host rejected it', [bookingEvent(2, 'REJECTED')], true],
    [
      'is complete when its host rejected it and the payment was voided',
      [bookingEvent(2, 'REJECTED'), paymentEvent(1, 'VOIDED')],
      true,
    ],
    ['is not complete while its host decides', [bookingEvent(1, 'AWAITING_APPROVAL')], false],
    ['is complete when it expired', [bookingEvent(2, 'EXPIRED'), paymentEvent(1, 'VOIDED')], true],
  ])('a view %s', (_rule, events, expected) => {
    expect(isComplete(projectAll(events))).toBe(expected);
  });
});

describe('the revenue of a booking', () => {
  const paid = bookingEvent(2, 'PAID');
  const cancelled = bookingEvent(4, 'CANCELLED');

  test.each([
    ['nothing before a charge', [bookingEvent(1, 'REQUESTED')], 0],
    ['nothing while the host decides', [bookingEvent(1, 'AWAITING_APPROVAL')], 0],
    ['nothing when the payment was declined', [paid, paymentEvent(2, 'DECLINED')], 0],
    ['nothing when the payment was voided', [cancelled, paymentEvent(2, 'VOIDED')], 0],
    ['the charge when it is approved', [paid, paymentEvent(2, 'APPROVED')], 60_000],
    ['the charge while its refund fails', [cancelled, paymentEvent(3, 'REFUND_FAILED')], 60_000],
    [
      'what was not refunded',
      [cancelled, paymentEvent(3, 'PARTIALLY_REFUNDED', { refunded: 45_000 })],
      15_000,
    ],
    [
      'nothing when all was refunded',
      [cancelled, paymentEvent(3, 'REFUNDED', { refunded: 60_000 })],
      0,
    ],
  ])('the revenue of a booking is %s', (_what, events, expected) => {
    expect(toRevenue(projectAll(events))).toBe(expected);
    // As an earlier release stored it.
    expect(toRevenue({ ...projectAll(events), chargedAmount: null })).toBe(expected);
  });
});

describe('the timeline of a booking', () => {
  test('a timeline has one entry for every event of the booking itself', () => {
    const event = bookingEvent(2, 'PAID');
    expect(toStatusChange(event)).toEqual({
      bookingId: 'b1',
      bookingVersion: 2,
      status: 'PAID',
      at: event.occurredAt,
    });
    expect(toStatusChange(paymentEvent(2, 'APPROVED'))).toBeNull();
    expect(toStatusChange(registrationEvent(1, 'REGISTERED'))).toBeNull();
  });

  test('a reschedule changes what is booked and adds no entry', () => {
    const slot = {
      startAt: new Date('2030-06-09T01:00:00Z'),
      endAt: new Date('2030-06-09T02:00:00Z'),
    };
    const rescheduled = bookingEvent(4, 'REGISTERED', {
      ...{ slot, price: { amount: 30_000, currency: 'KRW' } },
      change: { changeId: '01900000-0000-7000-8000-00000000000c', difference: -30_000 },
    });
    expect(toStatusChange(rescheduled)).toBeNull();
    expect(projectAll([bookingEvent(3, 'REGISTERED'), rescheduled])).toMatchObject({
      ...{ status: 'REGISTERED', startAt: slot.startAt, endAt: slot.endAt },
      ...{ priceAmount: 30_000, bookingVersion: 4 },
    });
  });
});
