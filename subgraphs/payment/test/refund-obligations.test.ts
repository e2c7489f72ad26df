import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { inTransaction } from '#platform/database/postgres.ts';
import { Payment } from '../src/domain/payment.ts';
import type { PaymentStore } from '../src/ports.ts';
import { aPayment, aTombstone, createPayment, creation, legal } from './a-payment.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let store: PaymentStore;

beforeAll(async () => {
  context = await openPaymentContext();
  store = context.ports.payments;
});
afterAll(() => context?.close());

const findStored = async (payment: Payment) => store.findByBooking(payment.state.bookingId);

describe('the obligation to refund', () => {
  test('an obligation is recorded, and the payment stays as it is', async () => {
    const payment = await createPayment(store);
    await store.recordRefundObligation(aTombstone(payment), 20_000, uuidv7());
    expect(await findStored(payment)).toEqual(payment);
    expect(await store.findRefund(payment.state.id)).toEqual({
      id: expect.any(String),
      paymentId: payment.state.id,
      amount: 20_000,
      completed: false,
      completedOutside: false,
      hasFailed: false,
      isDue: true,
      attempt: 1,
    });
    expect(await context.publishedTypes(payment.state.bookingId)).toEqual([]);
  });

  test('an obligation is at most the amount of the payment', async () => {
    const payment = await createPayment(store, { amount: 500 });
    await store.recordRefundObligation(aTombstone(payment), 60_000, uuidv7());
    expect(await context.findObligations(payment.state.bookingId)).toEqual([
      { amount: 500, completed: false },
    ]);
  });

  test('a booking without a payment gets a tombstone, which is published', async () => {
    const tombstone = Payment.tombstone(aRequest(), creation());
    await store.recordRefundObligation(tombstone, 60_000, uuidv7());
    expect(await findStored(tombstone)).toEqual(tombstone);
    expect(await context.publishedTypes(tombstone.state.bookingId)).toEqual(['PaymentCancelled']);
    expect(await context.findObligations(tombstone.state.bookingId)).toEqual([]);
    const late = await store.create(Payment.request(tombstone.state, creation()));
    expect(late).toEqual({ payment: tombstone, isNew: false });
  });

  test.each([
    ['the same event', true],
    ['another event', false],
  ])('an obligation recorded again by %s stays as it was quoted first', async (_what, isSame) => {
    const payment = await createPayment(store);
    const eventId = uuidv7();
    await store.recordRefundObligation(aTombstone(payment), 20_000, eventId);
    await store.recordRefundObligation(aTombstone(payment), 60_000, isSame ? eventId : uuidv7());
    expect(await context.findObligations(payment.state.bookingId)).toEqual([
      { amount: 20_000, completed: false },
    ]);
  });

  test.each([
    ['the same event', true],
    ['another event', false],
  ])(
    'a tombstone recorded again by %s owes nothing and is published once',
    async (_what, isSame) => {
      const tombstone = Payment.tombstone(aRequest(), creation());
      const eventId = uuidv7();
      await store.recordRefundObligation(tombstone, 60_000, eventId);
      await store.recordRefundObligation(
        aTombstone(tombstone),
        60_000,
        isSame ? eventId : uuidv7(),
      );
      expect(await findStored(tombstone)).toEqual(tombstone);
      expect(await context.publishedTypes(tombstone.state.bookingId)).toEqual(['PaymentCancelled']);
      expect(await context.findObligations(tombstone.state.bookingId)).toEqual([]);
    },
  );

  test('twenty concurrent obligations and a request leave one obligation or one tombstone', async () => {
    for (let round = 0; round < 10; round += 1) {
      const payment = aPayment();
      const tombstones = Array.from({ length: 20 }, () => aTombstone(payment));
      const eventId = uuidv7();
      await Promise.all([
        ...tombstones
          .slice(10)
          .map((tombstone) => store.recordRefundObligation(tombstone, 60_000, eventId)),
        store.create(payment),
        ...tombstones
          .slice(0, 10)
          .map((tombstone) => store.recordRefundObligation(tombstone, 60_000, eventId)),
      ]);
      const { bookingId } = payment.state;
      const isTombstone = (await findStored(payment))?.state.status === 'VOIDED';
      expect(await context.findObligations(bookingId)).toHaveLength(isTombstone ? 0 : 1);
      expect(await context.publishedTypes(bookingId)).toHaveLength(isTombstone ? 1 : 0);
    }
  });
});

describe('an approval whose refund is owed', () => {
  const toApproved = (payment: Payment) => legal(payment.approve(new Date()));

  test('an approval whose refund is owed is stored and not published', async () => {
    const payment = await createPayment(store);
    await store.recordRefundObligation(aTombstone(payment), 60_000, uuidv7());
    const approved = toApproved(payment);
    expect(await store.save(payment, approved, 'PaymentApproved')).toBe('saved');
    expect(await findStored(payment)).toEqual(approved);
    expect(await context.publishedTypes(payment.state.bookingId)).toEqual([]);
    const refunded = legal(approved.refund(60_000));
    await store.save(approved, refunded, 'PaymentCancelled', { completesRefund: true });
    expect(await context.publishedTypes(payment.state.bookingId)).toEqual(['PaymentCancelled']);
    const { published } = context;
    const events = published.filter(({ aggregateId }) => aggregateId === payment.state.id);
    expect(events.map(({ type }) => type)).toEqual(['PaymentCancelled']);
  });

  test('an approval that waits for an obligation to commit is not published', async () => {
    const payment = await createPayment(store);
    const saving = await inTransaction(context.pool, async (db) => {
      await db.query('UPDATE payment SET refund_owed = TRUE WHERE id = $1', [payment.state.id]);
      await db.query('INSERT INTO refund (payment_id, amount) VALUES ($1, 1)', [payment.state.id]);
      const save = store.save(payment, toApproved(payment), 'PaymentApproved');
      await context.waitForLock('%published AS%');
      return { save };
    });
    expect(await saving.save).toBe('saved');
    expect(await context.publishedTypes(payment.state.bookingId)).toEqual([]);
  });

  test('a concurrent approval is published before an obligation or not at all, fifty times', async () => {
    for (let round = 0; round < 50; round += 1) {
      const payment = await createPayment(store);
      const save = () => store.save(payment, toApproved(payment), 'PaymentApproved');
      const recordObligation = () =>
        store.recordRefundObligation(aTombstone(payment), 60_000, uuidv7());
      const both: (() => Promise<unknown>)[] =
        round % 2 ? [save, recordObligation] : [recordObligation, save];
      await Promise.all(both.map((step) => step()));
      const { bookingId } = payment.state;
      expect((await findStored(payment))?.state.status).toBe('APPROVED');
      expect(await context.findObligations(bookingId)).toEqual([
        { amount: 60_000, completed: false },
      ]);
      expect((await context.publishedTypes(bookingId)).length).toBeLessThanOrEqual(1);
    }
  });
});
