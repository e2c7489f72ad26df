import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type BookingStatusView,
  isComplete,
  type ProjectedEvent,
  project,
  statusChangeOf,
} from '../src/booking-status-view.ts';
import { bookingEvent, paymentEvent, registrationEvent, SLOT, wholeHistory } from './a-history.ts';

function viewOf(events: readonly ProjectedEvent[]): BookingStatusView {
  const view = events.reduce<BookingStatusView | null>(project, null);
  if (!view) throw new Error('no events, no view');
  return view;
}

describe('the view of a booking', () => {
  test('tells what the events tell', () => {
    expect(viewOf(wholeHistory())).toEqual({
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
    });
  });

  test('is the same whatever order the events come in, and counts each of them', () => {
    const history = wholeHistory();
    const expected = viewOf(history);
    const orders = fc.shuffledSubarray(history, { minLength: history.length });
    fc.assert(fc.property(orders, (order) => expect(viewOf(order)).toEqual(expected)));
  });

  test('is the same in any order of any part of the events, and its version is their number', () => {
    const parts = fc
      .subarray(wholeHistory(), { minLength: 1 })
      .chain((part) =>
        fc.tuple(fc.constant(part), fc.shuffledSubarray(part, { minLength: part.length })),
      );
    fc.assert(
      fc.property(parts, ([inOrder, shuffled]) => {
        expect(viewOf(shuffled)).toEqual(viewOf(inOrder));
        expect(viewOf(shuffled).version).toBe(inOrder.length);
      }),
    );
  });

  test('rises by one version with every event, older ones included', () => {
    let view: BookingStatusView | null = null;
    for (const [index, event] of wholeHistory().reverse().entries()) {
      view = project(view, event);
      expect(view.version).toBe(index + 1);
    }
  });

  test('does not go back to what it was when older events come late', () => {
    const late = viewOf([
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
    ['its payment', paymentEvent(2, 'APPROVED')],
    ['its registration', registrationEvent(1, 'REGISTERED')],
  ])('that is known by %s only belongs to nobody yet', (_what, event) => {
    expect(viewOf([event])).toMatchObject({
      customerId: null,
      status: null,
      startAt: null,
      version: 1,
    });
  });

  test('shows a voided payment as none', () => {
    expect(viewOf([paymentEvent(2, 'VOIDED')]).paymentStatus).toBeNull();
  });

  test('shows a refund that failed until it is settled', () => {
    const cancelled = [bookingEvent(4, 'CANCELLING'), paymentEvent(2, 'APPROVED')];
    const failed = paymentEvent(3, 'REFUND_FAILED');
    const settled = paymentEvent(4, 'REFUNDED', { refunded: 60_000 });
    expect(viewOf([...cancelled, failed])).toMatchObject({
      paymentStatus: 'REFUND_FAILED',
      refunded: 0,
    });
    const ended = { paymentStatus: 'REFUNDED', refunded: 60_000 };
    expect(viewOf([...cancelled, failed, settled])).toMatchObject(ended);
    expect(viewOf([...cancelled, settled, failed])).toMatchObject(ended);
  });

  test('leaves the view before it as it was', () => {
    const before = viewOf([bookingEvent(1, 'REQUESTED')]);
    const copy = structuredClone(before);
    project(before, bookingEvent(2, 'PAID'));
    expect(before).toEqual(copy);
  });
});

describe('a view is complete', () => {
  const cancelled = bookingEvent(5, 'CANCELLED');
  const approved = paymentEvent(2, 'APPROVED');
  const refunded = paymentEvent(3, 'REFUNDED');
  const registered = registrationEvent(1, 'REGISTERED');
  const unregistered = registrationEvent(2, 'CANCELLED');

  test.each([
    ['not while the booking goes on', [bookingEvent(2, 'PAID'), approved], false],
    ['not before anything is known of the payment', [cancelled], false],
    ['not before the refund', [cancelled, approved], false],
    ['not while its use is registered', [cancelled, refunded, registered], false],
    ['when all of them are at their end', [cancelled, refunded, registered, unregistered], true],
    ['when no money was ever taken', [cancelled, paymentEvent(1, 'VOIDED')], true],
    ['when it was declined', [bookingEvent(2, 'DECLINED'), paymentEvent(2, 'DECLINED')], true],
    ['when it expired', [bookingEvent(2, 'EXPIRED'), paymentEvent(1, 'VOIDED')], true],
  ])('%s', (_when, events, expected) => {
    expect(isComplete(viewOf(events))).toBe(expected);
  });
});

describe('the timeline of a booking', () => {
  test('has one entry for every event of the booking itself', () => {
    const event = bookingEvent(2, 'PAID');
    expect(statusChangeOf(event)).toEqual({
      bookingId: 'b1',
      bookingVersion: 2,
      status: 'PAID',
      at: event.occurredAt,
    });
    expect(statusChangeOf(paymentEvent(2, 'APPROVED'))).toBeNull();
    expect(statusChangeOf(registrationEvent(1, 'REGISTERED'))).toBeNull();
  });
});
