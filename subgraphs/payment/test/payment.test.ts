import { describe, expect, test } from '@jest/globals';
import { Payment, type PaymentRequest } from '../src/domain/payment.ts';
import type { PaymentStatus } from '../src/domain/payment-status.ts';

const NOW = new Date('2030-05-01T00:00:00Z');
const made = { id: 'p1', now: NOW, correlationId: 'c1' };
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

/** A payment in each status, led there by its own verbs. */
const inStatus: Record<PaymentStatus, () => Payment> = {
  PENDING: () => Payment.request(request, made),
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
  failRefund: { statuses: ['APPROVED'], to: 'REFUND_FAILED' },
  close: { statuses: ['DECLINED'], to: 'DECLINED' },
};
const VERBS = Object.keys(verbs) as Verb[];

describe('a payment', () => {
  test('is pending when it is requested, and nothing is refunded', () => {
    expect(inStatus.PENDING().state).toEqual({
      ...request,
      id: 'p1',
      status: 'PENDING',
      refunded: 0,
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
  )('that is %s may %s and is then %s, one version later', (status, verb, to) => {
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
  )('that is %s refuses to %s', (from, verb) => {
    expect(verbs[verb](inStatus[from]())).toEqual({ type: 'IllegalTransition', from, verb });
  });

  test.each(STATUSES)('that is %s is settled unless it is pending', (status) => {
    expect(inStatus[status]().settled).toBe(status !== 'PENDING');
  });

  test.each(STATUSES)('that is %s has its payment method only while it is pending', (status) => {
    const { paymentMethod } = inStatus[status]().state;
    expect(paymentMethod).toBe(status === 'PENDING' ? 'pm_ok' : '');
  });

  test('notes when it was approved and why it was declined', () => {
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
  ] as const)('of which %d of 60000 is given back is %s', (amount, status) => {
    const refunded = legal(inStatus.APPROVED().refund(amount));
    expect(refunded.state).toMatchObject({ status, refunded: amount, version: 3 });
  });

  test('of nothing is approved after nothing was given back', () => {
    const free = legal(Payment.request({ ...request, amount: 0 }, made).approve(NOW));
    expect(legal(free.refund(0)).state).toMatchObject({ status: 'APPROVED', refunded: 0 });
  });

  test('whose booking ended first is a tombstone that nothing revives', () => {
    const tombstone = Payment.tombstone(request, made);
    expect(tombstone.state).toMatchObject({ status: 'VOIDED', refunded: 0, approvedAt: null });
    for (const verb of VERBS) {
      expect(verbs[verb](tombstone)).toEqual({ type: 'IllegalTransition', from: 'VOIDED', verb });
    }
  });
});
