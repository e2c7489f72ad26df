import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Booking, type BookingRequest } from '../src/domain/booking.ts';
import type { BookingStatus, Party } from '../src/domain/booking-status.ts';
import { MAX_AMOUNT } from '../src/domain/money.ts';
import { aBooking, aRequest, aSpace, HOLD_SECONDS, legal, NOW, secondsAfter } from './a-booking.ts';

const made = { id: 'b1', now: NOW, holdSeconds: HOLD_SECONDS, correlationId: 'c1' };
const { slot } = aRequest();
const HOLD_END = secondsAfter(NOW, HOLD_SECONDS);

const PARTIES: Party[] = ['customer', 'host', 'operator'];

/** A booking in each status, led there by its own verbs. */
const inStatus: Record<BookingStatus, () => Booking> = {
  REQUESTED: () => aBooking(),
  PAYMENT_DEFERRED: () => legal(aBooking().deferPayment(NOW)),
  PAID: () => legal(aBooking().approvePayment()),
  REGISTERED: () => legal(inStatus.PAID().confirm()),
  CANCELLING: () => legal(inStatus.REGISTERED().cancel('customer', NOW)),
  CANCELLED: () => legal(legal(inStatus.CANCELLING().settlePayment()).settleRegistration()),
  DECLINED: () => legal(aBooking().declinePayment()),
  EXPIRED: () => legal(aBooking().expire(HOLD_END)),
};
const STATUSES = Object.keys(inStatus) as BookingStatus[];

const verbs = {
  deferPayment: (b: Booking) => b.deferPayment(NOW),
  approvePayment: (b: Booking) => b.approvePayment(),
  declinePayment: (b: Booking) => b.declinePayment(),
  expire: (b: Booking) => b.expire(HOLD_END),
  confirm: (b: Booking) => b.confirm(),
  cancel: (b: Booking) => b.cancel('customer', NOW),
  rejectRegistration: (b: Booking) => b.rejectRegistration(),
  settlePayment: (b: Booking) => b.settlePayment(),
  settleRegistration: (b: Booking) => b.settleRegistration(),
};
type Verb = keyof typeof verbs;

const UNPAID: BookingStatus[] = ['REQUESTED', 'PAYMENT_DEFERRED'];
const legalFrom: Record<Verb, { from: BookingStatus[]; to: BookingStatus }> = {
  deferPayment: { from: UNPAID, to: 'PAYMENT_DEFERRED' },
  approvePayment: { from: UNPAID, to: 'PAID' },
  declinePayment: { from: UNPAID, to: 'DECLINED' },
  expire: { from: UNPAID, to: 'EXPIRED' },
  confirm: { from: ['PAID'], to: 'REGISTERED' },
  cancel: { from: [...UNPAID, 'PAID', 'REGISTERED'], to: 'CANCELLING' },
  rejectRegistration: { from: [...UNPAID, 'PAID'], to: 'CANCELLING' },
  settlePayment: { from: ['CANCELLING'], to: 'CANCELLING' },
  settleRegistration: { from: ['CANCELLING'], to: 'CANCELLING' },
};
const everyStep = (Object.keys(verbs) as Verb[]).flatMap((verb) =>
  STATUSES.map((status) => ({ verb, status, isLegal: legalFrom[verb].from.includes(status) })),
);

describe('a booking', () => {
  test.each(
    everyStep
      .filter(({ isLegal }) => isLegal)
      .map(({ verb, status }) => [status, verb, legalFrom[verb].to] as const),
  )('that is %s may %s and is then %s, one version later', (from, verb, to) => {
    const before = inStatus[from]();
    const copy = structuredClone(before.state);
    const next = legal(verbs[verb](before));
    expect(next.state).toMatchObject({ status: to, version: before.state.version + 1 });
    expect(before.state).toEqual(copy);
  });

  test.each(
    everyStep.filter(({ isLegal }) => !isLegal).map(({ verb, status }) => [status, verb] as const),
  )('that is %s refuses to %s', (from, verb) => {
    expect(verbs[verb](inStatus[from]())).toEqual({ type: 'IllegalTransition', from, verb });
  });

  test.each([
    ['REQUESTED', true],
    ['PAYMENT_DEFERRED', true],
    ['PAID', true],
    ['REGISTERED', true],
    ['CANCELLING', true],
    ['CANCELLED', false],
    ['DECLINED', false],
    ['EXPIRED', false],
  ] as const)('that is %s holds its slot: %s', (status, live) => {
    expect(inStatus[status]().live).toBe(live);
  });

  test('that is being cancelled holds its slot until nothing is registered, refunded or not', () => {
    const cancelling = inStatus.CANCELLING();
    expect(legal(cancelling.settlePayment()).live).toBe(true);
    const unregistered = legal(cancelling.settleRegistration());
    expect([unregistered.state.status, unregistered.live]).toEqual(['CANCELLING', false]);
    expect(legal(unregistered.settlePayment()).live).toBe(false);
  });

  test.each(STATUSES)(
    'that is %s keeps its payment method only while it awaits payment',
    (status) => {
      const booking = inStatus[status]();
      expect(booking.state.paymentMethod).toBe(booking.awaitsPayment ? 'pm_ok' : '');
    },
  );

  test.each(STATUSES)(
    'that is %s asks payment again only while its outcome is unknown',
    (status) => {
      const booking = inStatus[status]();
      expect(booking.awaitsPayment).toBe(UNPAID.includes(status));
      expect(booking.state.nextPaymentAttemptAt !== null).toBe(UNPAID.includes(status));
    },
  );

  test.each([
    ['payment first', (b: Booking) => legal(legal(b.settlePayment()).settleRegistration())],
    ['registration first', (b: Booking) => legal(legal(b.settleRegistration()).settlePayment())],
  ])('is cancelled once payment and registration are settled, %s', (_order, settle) => {
    const cancelling = inStatus.CANCELLING();
    const cancelled = settle(cancelling);
    expect(cancelled.state).toMatchObject({
      status: 'CANCELLED',
      version: cancelling.state.version + 2,
      refund: cancelling.state.refund,
    });
  });

  test('never leaves an end, never regains its slot, counts its steps and refunds at most its price', () => {
    const steps = fc.array(fc.constantFrom(...(Object.keys(verbs) as Verb[])), { maxLength: 15 });
    fc.assert(
      fc.property(steps, (taken) => {
        let booking = aBooking();
        let legalSteps = 0;
        for (const verb of taken) {
          const next = verbs[verb](booking);
          if (!(next instanceof Booking)) continue;
          legalSteps += 1;
          // Only the refund may come after the slot is free.
          expect(booking.live || booking.state.registrationCancelled).toBe(true);
          expect(booking.live || !next.live).toBe(true);
          booking = next;
        }
        expect(booking.state.version).toBe(1 + legalSteps);
        expect(booking.state.refund?.amount ?? 0).toBeLessThanOrEqual(booking.state.price.amount);
        for (const party of PARTIES) {
          const { amount } = booking.quoteRefund(party, NOW);
          expect(amount).toBeGreaterThanOrEqual(0);
          expect(amount).toBeLessThanOrEqual(booking.state.price.amount);
        }
      }),
    );
  });
});

describe('a request', () => {
  test('freezes price, refund tiers and the hold, and is asked to be paid', () => {
    const space = aSpace();
    const request = aRequest();
    const booking = legal(Booking.request(request, space, made));
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
    ['just less than half, rounded down', 1, 29, 0],
    ['two and a half, rounded up', 5, 30, 3],
    ['nothing for a space that is free', 0, 60, 0],
  ])('costs %s', (_name, hourlyRate, minutes, price) => {
    const wanted = { startAt: slot.startAt, endAt: secondsAfter(slot.startAt, minutes * 60) };
    const booking = aBooking({ slot: wanted }, { space: aSpace({ hourlyRate }) });
    expect(booking.state.price.amount).toBe(price);
  });

  test('is refused when its price exceeds what a money amount holds, and not a minor unit before', () => {
    const twoHours = aRequest();
    const rate = (MAX_AMOUNT - 1) / 2;
    expect(
      legal(Booking.request(twoHours, aSpace({ hourlyRate: rate }), made)).state.price.amount,
    ).toBe(MAX_AMOUNT - 1);
    expect(Booking.request(twoHours, aSpace({ hourlyRate: rate + 1 }), made)).toMatchObject({
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
    ['nobody', { headcount: 0 }, 'headcount'],
    ['fewer than nobody', { headcount: -1 }, 'headcount'],
    ['one more than fit', { headcount: 11 }, 'headcount'],
    ['no payment method', { paymentMethod: ' ' }, 'paymentMethod'],
    ['an empty key', { idempotencyKey: '' }, 'idempotencyKey'],
    ['a blank key', { idempotencyKey: ' \t' }, 'idempotencyKey'],
    ['a key of 201 characters', { idempotencyKey: 'k'.repeat(201) }, 'idempotencyKey'],
  ];
  test.each(wrong)('for %s is refused and names the field', (_name, changes, field) => {
    expect(Booking.request(aRequest(changes), aSpace(), made)).toEqual({
      type: 'InvalidBookingRequest',
      field,
      message: expect.stringMatching(/\.$/),
    });
  });

  test('outside the opening hours is refused with the name and zone of the space', () => {
    const space = aSpace({ openingHours: [{ day: 'MONDAY', opens: '09:00', closes: '11:59' }] });
    expect(Booking.request(aRequest(), space, made)).toEqual({
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
    ['as many as fit', { headcount: 10 }],
    ['a key of 200 characters', { idempotencyKey: 'k'.repeat(200) }],
  ])('for %s is accepted', (_name, changes) => {
    expect(Booking.request(aRequest(changes), aSpace(), made)).toBeInstanceOf(Booking);
  });
});

describe('the refund quoted', () => {
  // 60 000 won; half of it from one day to seven days before the start.
  const late = secondsAfter(slot.startAt, -3_600);
  const halfway = secondsAfter(slot.startAt, -3 * 86_400);

  test.each(PARTIES)('is all of the price to the %s until the payment is confirmed', (party) => {
    for (const status of UNPAID) {
      expect(inStatus[status]().quoteRefund(party, late)).toEqual({
        amount: 60_000,
        currency: 'KRW',
      });
    }
  });

  test.each([
    ['customer', 'PAID', 30_000],
    ['customer', 'REGISTERED', 30_000],
    ['operator', 'PAID', 30_000],
    ['operator', 'REGISTERED', 30_000],
    ['host', 'PAID', 60_000],
    ['host', 'REGISTERED', 60_000],
  ] as const)('to the %s of a %s booking three days before is %d', (party, status, amount) => {
    expect(inStatus[status]().quoteRefund(party, halfway)).toEqual({ amount, currency: 'KRW' });
  });

  test.each([
    ['customer', 0],
    ['operator', 0],
    ['host', 60_000],
  ] as const)('to the %s an hour before is %d', (party, amount) => {
    expect(inStatus.REGISTERED().quoteRefund(party, late).amount).toBe(amount);
  });

  test.each(PARTIES)(
    'to the %s is what the cancellation accepted, whoever asks and when',
    (party) => {
      const cancelling = legal(inStatus.REGISTERED().cancel('customer', halfway));
      const cancelled = legal(legal(cancelling.settlePayment()).settleRegistration());
      expect(cancelling.quoteRefund(party, late).amount).toBe(30_000);
      expect(cancelled.quoteRefund(party, late).amount).toBe(30_000);
    },
  );

  test.each(PARTIES)('to the %s is nothing once the booking is declined or expired', (party) => {
    expect(inStatus.DECLINED().quoteRefund(party, NOW).amount).toBe(0);
    expect(inStatus.EXPIRED().quoteRefund(party, NOW).amount).toBe(0);
  });

  test('is what cancelling then refunds', () => {
    for (const status of [...UNPAID, 'PAID', 'REGISTERED'] as const) {
      for (const party of PARTIES) {
        for (const now of [NOW, halfway, late]) {
          const booking = inStatus[status]();
          const cancelling = legal(booking.cancel(party, now));
          expect(cancelling.state.refund).toEqual(booking.quoteRefund(party, now));
        }
      }
    }
  });

  test('is all of the price when the use cannot be registered, whatever the tiers say', () => {
    const space = aSpace({ refundTiers: [] });
    const paid = legal(aBooking({}, { space }).approvePayment());
    expect(paid.quoteRefund('customer', NOW).amount).toBe(0);
    expect(legal(paid.rejectRegistration()).state.refund?.amount).toBe(60_000);
  });
});

describe('a cancellation', () => {
  test('is accepted to the last moment of the booked time and not when it is over', () => {
    const paid = inStatus.PAID();
    const end = slot.endAt.getTime();
    expect(legal(paid.cancel('customer', new Date(end - 1))).state.status).toBe('CANCELLING');
    expect(paid.cancel('customer', new Date(end))).toMatchObject({ type: 'IllegalTransition' });
  });
});

describe('a hold', () => {
  test.each([
    [-1, false],
    [0, true],
    [1, true],
  ])('%d ms after its end may expire: %s', (ms, may) => {
    for (const status of UNPAID) {
      const expired = inStatus[status]().expire(new Date(HOLD_END.getTime() + ms));
      expect(expired instanceof Booking).toBe(may);
    }
  });

  test('of less than five seconds has payment asked again when it ends', () => {
    const short = legal(Booking.request(aRequest(), aSpace(), { ...made, holdSeconds: 2 }));
    expect(short.state.holdExpiresAt).toEqual(secondsAfter(NOW, 2));
    expect(short.state.nextPaymentAttemptAt).toEqual(secondsAfter(NOW, 2));
  });
});

describe('a deferred payment', () => {
  const deferred = (paymentAttempts: number, now: Date) =>
    legal(new Booking({ ...aBooking().state, paymentAttempts }).deferPayment(now)).state;

  test.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [6, 32],
    [7, 60],
    [8, 60],
    [2_000, 60],
  ])('is asked for again, after attempt %d, in %d s', (attempts, seconds) => {
    expect(deferred(attempts, NOW).nextPaymentAttemptAt).toEqual(secondsAfter(NOW, seconds));
  });

  test('is asked for no later than the hold ends, which does not move', () => {
    const nearTheEnd = secondsAfter(HOLD_END, -3);
    expect(deferred(7, nearTheEnd)).toMatchObject({
      nextPaymentAttemptAt: HOLD_END,
      holdExpiresAt: HOLD_END,
    });
  });
});

describe('a repeated request', () => {
  const request = aRequest();
  const booking = aBooking(request);

  test('is known by its contents', () => {
    expect(booking.wasMadeBy(structuredClone(request), true)).toBe(true);
  });

  test.each<[string, Partial<BookingRequest>]>([
    ['space', { spaceId: 'other' }],
    ['start', { slot: { ...slot, startAt: secondsAfter(slot.startAt, 1) } }],
    ['end', { slot: { ...slot, endAt: secondsAfter(slot.endAt, 1) } }],
    ['headcount', { headcount: 3 }],
  ])('with another %s is another request', (_what, changes) => {
    expect(booking.wasMadeBy({ ...request, ...changes }, true)).toBe(false);
  });

  test('with another payment method is another request', () => {
    expect(booking.wasMadeBy(request, false)).toBe(false);
  });
});
