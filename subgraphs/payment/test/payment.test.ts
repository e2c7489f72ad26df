import { describe, expect, test } from '@jest/globals';
import { Payment, type PaymentRequest } from '../src/domain/payment.ts';
import type { PaymentStatus } from '../src/domain/payment-status.ts';

const NOW = new Date('2030-05-01T00:00:00Z');
const creation = { id: 'p1', now: NOW, correlationId: 'c1' };
const request: PaymentRequest = {
  bookingId: 'b1',
  customerId: 'chulsoo',
  spaceId: 's1',
  slot: { startAt: new Date('2030-06-03T01:00:00Z'), endAt: new Date('2030-06-03T03:00:00Z') },
  amount: 60_000,
  currency: 'KRW',
  paymentMethod: 'pm_ok',
};

function legal<T>(result: Payment | T): Payment {
  if (result instanceof Payment) return result;
  throw new Error(`illegal: ${JSON.stringify(result)}`);
}

/** A payment in each status, brought there by its own transitions. */
const inStatus: Record<PaymentStatus, () => Payment> = {
  PENDING: () => Payment.request(request, creation),
  APPROVED: () => legal(inStatus.PENDING().approve(NOW)),
  DECLINED: () => legal(inStatus.PENDING().decline('no money')),
  REFUNDED: () => legal(inStatus.APPROVED().refund(60_000)),
  PARTIALLY_REFUNDED: () => legal(inStatus.APPROVED().refund(30_000)),
  REFUND_FAILED: () => legal(inStatus.APPROVED().failRefund()),
  VOIDED: () => legal(inStatus.PENDING().void()),
};
const STATUSES = Object.keys(inStatus) as PaymentStatus[];

const verbs = {
  approve: (payment: Payment) => payment.approve(NOW),
  decline: (payment: Payment) => payment.decline('no money'),
  void: (payment: Payment) => payment.void(),
  refund: (payment: Payment) => payment.refund(60_000),
  failRefund: (payment: Payment) => payment.failRefund(),
  close: (payment: Payment) => payment.close(),
};
type Verb = keyof typeof verbs;
const legalFrom: Record<Verb, { statuses: PaymentStatus[]; to: PaymentStatus }> = {
  approve: { statuses: ['PENDING'], to: 'APPROVED' },
  decline: { statuses: ['PENDING'], to: 'DECLINED' },
  void: { statuses: ['PENDING'], to: 'VOIDED' },
  refund: { statuses: ['APPROVED', 'REFUND_FAILED'], to: 'REFUNDED' },
  failRefund: {
    statuses: ['APPROVED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'REFUND_FAILED'],
    to: 'REFUND_FAILED',
  },
  close: { statuses: ['DECLINED'], to: 'DECLINED' },
};
const VERBS = Object.keys(verbs) as Verb[];

describe('payment transitions', () => {
  test('a requested payment is pending, and nothing of it is refunded', () => {
    expect(inStatus.PENDING().state).toEqual({
      ...request,
      id: 'p1',
      status: 'PENDING',
      refunded: 0,
      goodwill: 0,
      refundedForChanges: 0,
      declineReason: null,
      version: 1,
      requestedAt: NOW,
      approvedAt: null,
      correlationId: 'c1',
    });
  });

  test.each(
    VERBS.flatMap((verb) =>
      legalFrom[verb].statuses.map((status) => [status, verb, legalFrom[verb].to] as const),
    ),
  )('a payment that is %s may %s and is then %s, one version later', (status, verb, to) => {
    const before = inStatus[status]();
    const copy = structuredClone(before.state);
    expect(legal(verbs[verb](before)).state).toMatchObject({
      status: to,
      version: before.state.version + 1,
    });
    expect(before.state).toEqual(copy);
  });

  test.each(
    VERBS.flatMap((verb) =>
      STATUSES.filter((status) => !legalFrom[verb].statuses.includes(status)).map(
        (status) => [status, verb] as const,
      ),
    ),
  )('a payment that is %s refuses to %s', (from, verb) => {
    expect(verbs[verb](inStatus[from]())).toEqual({ type: 'IllegalTransition', from, verb });
  });

  test.each(STATUSES)('a payment that is %s is decided unless it is pending', (status) => {
    expect(inStatus[status]().isDecided).toBe(status !== 'PENDING');
  });

  test.each(STATUSES)(
    'a payment that is %s has its payment method only while it is pending',
    (status) => {
      const { paymentMethod } = inStatus[status]().state;
      expect(paymentMethod).toBe(status === 'PENDING' ? 'pm_ok' : '');
    },
  );

  test('a payment records when it was approved and why it was declined', () => {
    expect(inStatus.APPROVED().state).toMatchObject({ approvedAt: NOW, declineReason: null });
    expect(inStatus.DECLINED().state).toMatchObject({
      approvedAt: null,
      declineReason: 'no money',
    });
  });

  test.each([
    [60_000, 'REFUNDED'],
    [59_999, 'PARTIALLY_REFUNDED'],
    [1, 'PARTIALLY_REFUNDED'],
    [0, 'APPROVED'],
  ] as const)('a payment of 60000 of which %d is refunded is %s', (amount, status) => {
    const refunded = legal(inStatus.APPROVED().refund(amount));
    expect(refunded.state).toMatchObject({ status, refunded: amount, version: 3 });
  });

  test('a payment of nothing stays approved when nothing is refunded', () => {
    const free = legal(Payment.request({ ...request, amount: 0 }, creation).approve(NOW));
    expect(legal(free.refund(0)).state).toMatchObject({ status: 'APPROVED', refunded: 0 });
  });

  test('a tombstone of a booking that ended first permits no transition', () => {
    const tombstone = Payment.tombstone(request, creation);
    expect(tombstone.state).toMatchObject({ status: 'VOIDED', refunded: 0, approvedAt: null });
    for (const verb of VERBS) {
      expect(verbs[verb](tombstone)).toEqual({ type: 'IllegalTransition', from: 'VOIDED', verb });
    }
  });
});

describe('goodwill refunds of a payment', () => {
  const afterGoodwill = (amount: number) => legal(inStatus.APPROVED().refundGoodwill(amount));

  test.each([
    ['an approved payment', inStatus.APPROVED, 20_000, 'PARTIALLY_REFUNDED', 20_000],
    ['an approved payment', inStatus.APPROVED, 60_000, 'REFUNDED', 60_000],
    [
      'a payment that was refunded in part',
      inStatus.PARTIALLY_REFUNDED,
      10_000,
      'PARTIALLY_REFUNDED',
      40_000,
    ],
    [
      'a payment that was refunded in part',
      inStatus.PARTIALLY_REFUNDED,
      30_000,
      'REFUNDED',
      60_000,
    ],
    ['a payment whose refund has failed', inStatus.REFUND_FAILED, 10_000, 'REFUND_FAILED', 10_000],
  ] as const)('%s of 60000 that gives back %d more is %s', (_, make, amount, status, refunded) => {
    const before = make();
    const after = legal(before.refundGoodwill(amount)).state;
    expect(after).toMatchObject({ status, refunded, goodwill: amount });
    expect(after.version).toBe(before.state.version + 1);
  });

  test.each(['PENDING', 'DECLINED', 'VOIDED'] as const)(
    'a payment that is %s gives nothing back',
    (from) => {
      const refused = { type: 'IllegalTransition', from, verb: 'refundGoodwill' };
      expect(inStatus[from]().refundGoodwill(1)).toEqual(refused);
    },
  );

  test('a payment never gives back more than its charge', () => {
    expect(inStatus.PARTIALLY_REFUNDED().refundGoodwill(30_001)).toMatchObject({
      type: 'IllegalTransition',
    });
    expect(afterGoodwill(40_000).refundGoodwill(20_001)).toMatchObject({
      type: 'IllegalTransition',
    });
  });

  test.each([
    [20_000, 30_000, 'PARTIALLY_REFUNDED', 50_000],
    [20_000, 40_000, 'REFUNDED', 60_000],
    [60_000, 0, 'REFUNDED', 60_000],
    [20_000, 0, 'PARTIALLY_REFUNDED', 20_000],
  ] as const)(
    'a payment of 60000 that gave back %d and refunds %d for the cancellation is %s',
    (goodwill, refund, status, refunded) => {
      const ended = legal(afterGoodwill(goodwill).refund(refund));
      expect(ended.state).toMatchObject({ status, refunded, goodwill });
    },
  );

  test('a payment refunds its cancellation once, whatever it gave back before', () => {
    const cancelled = legal(afterGoodwill(20_000).refund(10_000));
    expect(cancelled.awaitsRefund).toBe(false);
    expect(cancelled.refund(10_000)).toMatchObject({ type: 'IllegalTransition' });
    expect(legal(cancelled.refundGoodwill(5_000)).refund(10_000)).toMatchObject({
      type: 'IllegalTransition',
    });
  });

  test('a refund that fails after a goodwill refund is still owed, and completed as well', () => {
    const failed = legal(afterGoodwill(20_000).failRefund());
    expect(failed.state).toMatchObject({ status: 'REFUND_FAILED', refunded: 20_000 });
    const more = legal(failed.refundGoodwill(10_000));
    expect(more.state).toMatchObject({ status: 'REFUND_FAILED', refunded: 30_000 });
    expect(legal(more.refund(30_000)).state).toMatchObject({
      status: 'REFUNDED',
      refunded: 60_000,
      goodwill: 30_000,
    });
  });
});

describe('changes of a payment’s booking', () => {
  const REFUNDED_FOR_CHANGE = () => legal(inStatus.APPROVED().refundChange(20_000));

  test.each([
    ['APPROVED', 'APPROVED'],
    ['PARTIALLY_REFUNDED', 'PARTIALLY_REFUNDED'],
    ['REFUNDED', 'PARTIALLY_REFUNDED'],
    ['REFUND_FAILED', 'REFUND_FAILED'],
  ] as const)('a payment that is %s and is charged more is %s', (from, to) => {
    const before = inStatus[from]();
    expect(legal(before.addCharge(10_000)).state).toEqual({
      ...{ ...before.state, status: to, amount: 70_000, version: before.state.version + 1 },
    });
  });

  test.each(['PENDING', 'DECLINED', 'VOIDED'] as const)(
    'a payment that is %s is charged nothing more, and gives nothing back',
    (from) => {
      const payment = inStatus[from]();
      for (const verb of ['addCharge', 'refundChange'] as const) {
        expect(payment[verb](1)).toEqual({ type: 'IllegalTransition', from, verb });
      }
    },
  );

  test('a change that costs less gives back a part, and never more than the charges', () => {
    const after = REFUNDED_FOR_CHANGE();
    expect(after.state).toMatchObject({
      ...{
        status: 'PARTIALLY_REFUNDED',
        refunded: 20_000,
        refundedForChanges: 20_000,
        goodwill: 0,
      },
    });
    expect(legal(after.refundChange(40_000)).state.status).toBe('REFUNDED');
    expect(after.refundChange(40_001)).toMatchObject({ type: 'IllegalTransition' });
    expect(legal(after.addCharge(1)).refundChange(40_001)).toBeInstanceOf(Payment);
  });

  test('a cancellation is refunded once beside changes and goodwill refunds', () => {
    const before = legal(REFUNDED_FOR_CHANGE().refundGoodwill(10_000));
    expect(before.awaitsRefund).toBe(true);
    const cancelled = legal(before.refund(30_000));
    expect(cancelled.state).toMatchObject({ status: 'REFUNDED', refunded: 60_000 });
    expect(cancelled.refund(0)).toMatchObject({ type: 'IllegalTransition' });
  });

  test.each(['refund', 'refundChange'] as const)(
    'a payment whose %s is made is REFUND_FAILED as long as another refund has failed',
    (verb) => {
      const failed = inStatus.REFUND_FAILED();
      expect(legal(failed[verb](10_000, true)).state).toMatchObject({
        ...{ status: 'REFUND_FAILED', refunded: 10_000 },
      });
      expect(legal(failed[verb](10_000, false)).state.status).toBe('PARTIALLY_REFUNDED');
    },
  );
});
