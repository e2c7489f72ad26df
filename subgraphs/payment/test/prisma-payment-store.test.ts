import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { Payment } from '../src/domain/payment.ts';
import type { PaymentStore } from '../src/ports.ts';
import { aTombstone, createPayment, creation, legal } from './a-payment.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let store: PaymentStore;

beforeAll(async () => {
  context = await openPaymentContext();
  store = context.ports.payments;
});
afterAll(() => context?.close());

const findStored = async (payment: Payment) => store.findByBooking(payment.state.bookingId);

describe('the creation of a payment', () => {
  test('a new payment is stored whole, and nothing is published of it', async () => {
    const payment = await createPayment(store);
    expect(await findStored(payment)).toEqual(payment);
    expect(await context.publishedTypes(payment.state.bookingId)).toEqual([]);
  });

  test('thirty concurrent creations store one payment, which all of them return', async () => {
    const request = aRequest();
    const results = await Promise.all(
      Array.from({ length: 30 }, () => store.create(Payment.request(request, creation()))),
    );
    expect(results.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(results.map(({ payment }) => payment.state.id)).size).toBe(1);
  });

  test('a booking without a payment has none', async () => {
    expect(await store.findByBooking(uuidv7())).toBeNull();
  });
});

describe('the next version of a payment', () => {
  test('a saved version is stored with its event, which is published once', async () => {
    const payment = await createPayment(store);
    const approved = legal(payment.approve(new Date('2030-05-01T00:00:01Z')));
    expect(await store.save(payment, approved, 'PaymentApproved')).toBe('saved');
    expect(await findStored(payment)).toEqual(approved);
    const rows = await context.query(
      'SELECT version, type, awaiting, payload, correlation_id FROM outbox WHERE aggregate_id = $1',
      [payment.state.id],
    );
    expect(rows).toEqual([
      {
        version: 2,
        type: 'PaymentApproved',
        awaiting: ['mypage', 'space'],
        correlation_id: 'c1',
        payload: expect.objectContaining({ status: 'APPROVED', amount: 60_000, refunded: 0 }),
      },
    ]);
    const { published } = context;
    expect(published.filter(({ aggregateId }) => aggregateId === payment.state.id)).toHaveLength(1);
  });

  test('a version based on an older one is stale, and changes nothing', async () => {
    const payment = await createPayment(store);
    const declined = legal(payment.decline('no money'));
    expect(await store.save(payment, declined, 'PaymentDeclined')).toBe('saved');
    const late = legal(payment.approve(new Date()));
    expect(await store.save(payment, late, 'PaymentApproved')).toBe('stale');
    expect(await findStored(payment)).toEqual(declined);
    expect(await context.publishedTypes(payment.state.bookingId)).toEqual(['PaymentDeclined']);
  });

  test('one of twenty concurrent writers saves the next version', async () => {
    const payment = await createPayment(store);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        store.save(payment, legal(payment.approve(new Date())), 'PaymentApproved'),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'saved')).toHaveLength(1);
    expect(await context.publishedTypes(payment.state.bookingId)).toEqual(['PaymentApproved']);
  });

  test('a stale version leaves the refund owed', async () => {
    const payment = await createPayment(store);
    await store.recordRefundObligation(aTombstone(payment), 60_000, uuidv7());
    await store.save(payment, legal(payment.decline('no money')), 'PaymentDeclined');
    const stale = await store.save(payment, legal(payment.void()), 'PaymentCancelled', {
      completesRefund: true,
    });
    expect(stale).toBe('stale');
    expect(await context.findObligations(payment.state.bookingId)).toEqual([
      { amount: 60_000, completed: false },
    ]);
  });
});

describe('the payment method', () => {
  test('the payment method is deleted as soon as the charge is decided, by any release', async () => {
    const payment = await createPayment(store);
    await store.save(payment, legal(payment.approve(new Date())), 'PaymentApproved');
    const other = await createPayment(store);
    // The previous release leaves the column alone.
    await context.query("UPDATE payment SET status = 'DECLINED' WHERE id = $1", [other.state.id]);
    const kept = await context.query(
      "SELECT id FROM payment WHERE payment_method <> '' AND id = ANY($1::uuid[])",
      [[payment.state.id, other.state.id]],
    );
    expect(kept).toEqual([]);
  });
});

describe('the lease of a charge', () => {
  test('a charge is leased to one of many processes until it is released', async () => {
    const payment = await createPayment(store);
    const { id } = payment.state;
    expect(await store.claimCharge(id)).toBe(false);
    await store.releaseCharge(id);
    const claims = await Promise.all(Array.from({ length: 20 }, () => store.claimCharge(id)));
    expect(claims.filter(Boolean)).toHaveLength(1);
  });
});

describe('the constraints of the database', () => {
  test('a second payment of a booking violates a constraint', async () => {
    const payment = await createPayment(store);
    const raw = context.query(
      `INSERT INTO payment SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid()))).*
         FROM payment p WHERE id = $1`,
      [payment.state.id],
    );
    await expect(raw).rejects.toMatchObject({ code: '23505' });
  });

  test('a refund above the amount of the payment violates a constraint', async () => {
    const payment = await createPayment(store);
    const raw = context.query('UPDATE payment SET refunded = amount + 1 WHERE id = $1', [
      payment.state.id,
    ]);
    await expect(raw).rejects.toMatchObject({ code: '23514' });
  });
});
