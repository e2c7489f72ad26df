import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Booking } from '../../src/domain/booking.ts';
import type { BookingStatus } from '../../src/domain/lifecycle.ts';
import { aBooking, legal, NOW } from '../a-booking.ts';
import { HOLD_END, inStatus, ROLES, STATUSES, UNPAID } from './bookings.ts';

const VERBS = {
  approve: (b: Booking) => b.approve(NOW, 900),
  reject: (b: Booking) => b.reject(NOW, 'Closed for a private party'),
  deferPayment: (b: Booking) => b.deferPayment(NOW),
  approvePayment: (b: Booking) => b.approvePayment(),
  declinePayment: (b: Booking) => b.declinePayment(),
  expire: (b: Booking) => b.expire(b.awaitsApproval ? b.state.holdExpiresAt : HOLD_END),
  confirm: (b: Booking) => b.confirm(),
  cancel: (b: Booking) => b.cancel('customer', NOW),
  rejectRegistration: (b: Booking) => b.rejectRegistration(),
  completePaymentCancellation: (b: Booking) => b.completePaymentCancellation(),
  completeRegistrationCancellation: (b: Booking) => b.completeRegistrationCancellation(),
};
type Verb = keyof typeof VERBS;

const LEGAL: Record<Verb, { from: BookingStatus[]; to: BookingStatus }> = {
  approve: { from: ['AWAITING_APPROVAL'], to: 'REQUESTED' },
  reject: { from: ['AWAITING_APPROVAL'], to: 'REJECTED' },
  deferPayment: { from: UNPAID, to: 'PAYMENT_DEFERRED' },
  approvePayment: { from: UNPAID, to: 'PAID' },
  declinePayment: { from: UNPAID, to: 'DECLINED' },
  expire: { from: ['AWAITING_APPROVAL', ...UNPAID], to: 'EXPIRED' },
  confirm: { from: ['PAID'], to: 'REGISTERED' },
  cancel: { from: ['AWAITING_APPROVAL', ...UNPAID, 'PAID', 'REGISTERED'], to: 'CANCELLING' },
  rejectRegistration: { from: [...UNPAID, 'PAID'], to: 'CANCELLING' },
  completePaymentCancellation: { from: ['CANCELLING'], to: 'CANCELLING' },
  completeRegistrationCancellation: { from: ['CANCELLING'], to: 'CANCELLING' },
};
const everyStep = (Object.keys(VERBS) as Verb[]).flatMap((verb) =>
  STATUSES.map((status) => ({ verb, status, isLegal: LEGAL[verb].from.includes(status) })),
);

describe('a booking', () => {
  test.each(
    everyStep
      .filter(({ isLegal }) => isLegal)
      .map(({ verb, status }) => [status, verb, LEGAL[verb].to] as const),
  )('a booking that is %s may %s and is then %s, one version later', (from, verb, to) => {
    const before = inStatus[from]();
    const copy = structuredClone(before.state);
    const next = legal(VERBS[verb](before));
    expect(next.state).toMatchObject({ status: to, version: before.state.version + 1 });
    expect(before.state).toEqual(copy);
  });

  test.each(
    everyStep.filter(({ isLegal }) => !isLegal).map(({ verb, status }) => [status, verb] as const),
  )('a booking that is %s refuses to %s', (from, verb) => {
    expect(VERBS[verb](inStatus[from]())).toEqual({ type: 'IllegalTransition', from, verb });
  });

  test.each([
    ['AWAITING_APPROVAL', true],
    ['REJECTED', false],
    ['REQUESTED', true],
    ['PAYMENT_DEFERRED', true],
    ['PAID', true],
    ['REGISTERED', true],
    ['CANCELLING', true],
    ['CANCELLED', false],
    ['DECLINED', false],
    ['EXPIRED', false],
  ] as const)('a booking that is %s holds its slot: %s', (status, live) => {
    expect(inStatus[status]().live).toBe(live);
  });

  test('a booking that is being cancelled holds its slot until its registration is cancelled, refunded or not', () => {
    const cancelling = inStatus.CANCELLING();
    expect(legal(cancelling.completePaymentCancellation()).live).toBe(true);
    const unregistered = legal(cancelling.completeRegistrationCancellation());
    expect([unregistered.state.status, unregistered.live]).toEqual(['CANCELLING', false]);
    expect(legal(unregistered.completePaymentCancellation()).live).toBe(false);
  });

  test.each(STATUSES)(
    'a booking that is %s keeps its payment method only while it may be charged',
    (status) => {
      const booking = inStatus[status]();
      const mayBeCharged = booking.awaitsApproval || booking.awaitsPayment;
      expect(booking.state.paymentMethod).toBe(mayBeCharged ? 'pm_ok' : '');
    },
  );

  test.each(STATUSES)(
    'a booking that is %s is due again only while its hold may expire',
    (status) => {
      const booking = inStatus[status]();
      expect(booking.awaitsPayment).toBe(UNPAID.includes(status));
      const expires = status === 'AWAITING_APPROVAL' || UNPAID.includes(status);
      expect(booking.isExpiring).toBe(expires);
      expect(booking.state.nextPaymentAttemptAt !== null).toBe(expires);
    },
  );

  test.each([
    [
      'payment first',
      (b: Booking) =>
        legal(legal(b.completePaymentCancellation()).completeRegistrationCancellation()),
    ],
    [
      'registration first',
      (b: Booking) =>
        legal(legal(b.completeRegistrationCancellation()).completePaymentCancellation()),
    ],
  ])(
    'a booking is cancelled once payment and registration are cancelled, %s',
    (_order, complete) => {
      const cancelling = inStatus.CANCELLING();
      const cancelled = complete(cancelling);
      expect(cancelled.state).toMatchObject({
        status: 'CANCELLED',
        version: cancelling.state.version + 2,
        refund: cancelling.state.refund,
      });
    },
  );

  test('a booking never leaves a final status, never regains its slot, counts its steps and refunds at most its price', () => {
    const steps = fc.array(fc.constantFrom(...(Object.keys(VERBS) as Verb[])), { maxLength: 15 });
    fc.assert(
      fc.property(steps, (sequence) => {
        let booking = aBooking();
        let legalSteps = 0;
        for (const verb of sequence) {
          const next = VERBS[verb](booking);
          if (!(next instanceof Booking)) continue;
          legalSteps += 1;
          // Only the refund may come after the slot is free.
          expect(booking.live || booking.state.registrationCancelled).toBe(true);
          expect(booking.live || !next.live).toBe(true);
          booking = next;
        }
        expect(booking.state.version).toBe(1 + legalSteps);
        expect(booking.state.refund?.amount ?? 0).toBeLessThanOrEqual(booking.state.price.amount);
        for (const role of ROLES) {
          const { amount } = booking.quoteRefund(role, NOW);
          expect(amount).toBeGreaterThanOrEqual(0);
          expect(amount).toBeLessThanOrEqual(booking.state.price.amount);
        }
      }),
    );
  });
});
