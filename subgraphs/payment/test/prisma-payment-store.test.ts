import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { approvePayment } from '../src/application/approve-payment.ts';
import { Payment, type PaymentRequest } from '../src/domain/payment.ts';
import type { PaymentStore } from '../src/ports.ts';
import { aRequest, openPayments, type RealPayments } from './real-payments.ts';

let real: RealPayments;
let store: PaymentStore;

beforeAll(async () => {
  real = await openPayments();
  store = real.ports.payments;
});
afterAll(() => real?.close());

const made = () => ({ id: uuidv7(), now: new Date('2030-05-01T00:00:00Z'), correlationId: 'c1' });
const aPayment = (changes: Partial<PaymentRequest> = {}) =>
  Payment.request(aRequest(changes), made());
const aTombstone = (payment: Payment) => Payment.tombstone(payment.state, made());

function legal<T>(result: Payment | T): Payment {
  if (result instanceof Payment) return result;
  throw new Error(`illegal: ${JSON.stringify(result)}`);
}

async function requested(changes: Partial<PaymentRequest> = {}): Promise<Payment> {
  const payment = aPayment(changes);
  expect(await store.request(payment)).toMatchObject({ isNew: true });
  return payment;
}
const stored = async (payment: Payment) => store.findByBooking(payment.state.bookingId);

describe('requesting a payment', () => {
  test('stores all of it and tells nobody yet', async () => {
    const payment = await requested();
    expect(await stored(payment)).toEqual(payment);
    expect(await real.news(payment.state.bookingId)).toEqual([]);
  });

  test('thirty times at once makes one, which all of them get', async () => {
    const request = aRequest();
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => store.request(Payment.request(request, made()))),
    );
    expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(answers.map(({ payment }) => payment.state.id)).size).toBe(1);
  });

  test('tells of a booking without one that there is none', async () => {
    expect(await store.findByBooking(uuidv7())).toBeNull();
  });
});

describe('saving a payment', () => {
  test('writes its version, its event and the publication together', async () => {
    const payment = await requested();
    const approved = legal(payment.approve(new Date('2030-05-01T00:00:01Z')));
    expect(await store.save(payment, approved, 'PaymentApproved')).toBe('saved');
    expect(await stored(payment)).toEqual(approved);
    const rows = await real.query(
      'SELECT version, type, awaiting, payload, correlation_id FROM outbox WHERE aggregate_id = $1',
      [payment.state.id],
    );
    expect(rows).toEqual([
      {
        version: 2,
        type: 'PaymentApproved',
        awaiting: ['space', 'mypage'],
        correlation_id: 'c1',
        payload: expect.objectContaining({ status: 'APPROVED', amount: 60_000, refunded: 0 }),
      },
    ]);
    const { published } = real;
    expect(published.filter(({ aggregateId }) => aggregateId === payment.state.id)).toHaveLength(1);
  });

  test('is refused over a newer version, and changes nothing', async () => {
    const payment = await requested();
    const declined = legal(payment.decline('no money'));
    expect(await store.save(payment, declined, 'PaymentDeclined')).toBe('saved');
    const late = legal(payment.approve(new Date()));
    expect(await store.save(payment, late, 'PaymentApproved')).toBe('stale');
    expect(await stored(payment)).toEqual(declined);
    expect(await real.news(payment.state.bookingId)).toEqual(['PaymentDeclined']);
  });

  test('is done by exactly one of twenty at once', async () => {
    const payment = await requested();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        store.save(payment, legal(payment.approve(new Date())), 'PaymentApproved'),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'saved')).toHaveLength(1);
    expect(await real.news(payment.state.bookingId)).toEqual(['PaymentApproved']);
  });

  test('leaves the refund owed when it is stale', async () => {
    const payment = await requested();
    await store.giveUp(aTombstone(payment), 60_000, uuidv7());
    await store.save(payment, legal(payment.decline('no money')), 'PaymentDeclined');
    const stale = await store.save(payment, legal(payment.void()), 'PaymentCancelled', {
      settlesRefund: true,
    });
    expect(stale).toBe('stale');
    expect(await real.owed(payment.state.bookingId)).toEqual([{ amount: 60_000, settled: false }]);
  });
});

describe('giving a booking up', () => {
  test('owes the refund and leaves the payment as it is', async () => {
    const payment = await requested();
    await store.giveUp(aTombstone(payment), 20_000, uuidv7());
    expect(await stored(payment)).toEqual(payment);
    expect(await store.refundOf(payment.state.id)).toEqual({
      paymentId: payment.state.id,
      amount: 20_000,
      settled: false,
    });
    expect(await real.news(payment.state.bookingId)).toEqual([]);
  });

  test('owes no more than the payment is of', async () => {
    const payment = await requested({ amount: 500 });
    await store.giveUp(aTombstone(payment), 60_000, uuidv7());
    expect(await real.owed(payment.state.bookingId)).toEqual([{ amount: 500, settled: false }]);
  });

  test('that has no payment leaves a tombstone and says so', async () => {
    const tombstone = Payment.tombstone(aRequest(), made());
    await store.giveUp(tombstone, 60_000, uuidv7());
    expect(await stored(tombstone)).toEqual(tombstone);
    expect(await real.news(tombstone.state.bookingId)).toEqual(['PaymentCancelled']);
    expect(await real.owed(tombstone.state.bookingId)).toEqual([]);
    const late = await store.request(Payment.request(tombstone.state, made()));
    expect(late).toEqual({ payment: tombstone, isNew: false });
  });

  test.each([
    ['the same event', true],
    ['another event', false],
  ])('again by %s owes once, what was quoted first', async (_what, same) => {
    const payment = await requested();
    const eventId = uuidv7();
    await store.giveUp(aTombstone(payment), 20_000, eventId);
    await store.giveUp(aTombstone(payment), 60_000, same ? eventId : uuidv7());
    expect(await real.owed(payment.state.bookingId)).toEqual([{ amount: 20_000, settled: false }]);
  });

  test.each([
    ['the same event', true],
    ['another event', false],
  ])('that has no payment again by %s owes nothing and says so once', async (_what, same) => {
    const tombstone = Payment.tombstone(aRequest(), made());
    const eventId = uuidv7();
    await store.giveUp(tombstone, 60_000, eventId);
    await store.giveUp(aTombstone(tombstone), 60_000, same ? eventId : uuidv7());
    expect(await stored(tombstone)).toEqual(tombstone);
    expect(await real.news(tombstone.state.bookingId)).toEqual(['PaymentCancelled']);
    expect(await real.owed(tombstone.state.bookingId)).toEqual([]);
  });

  test('twenty times at once, with a request among them, owes once or leaves one tombstone', async () => {
    for (let round = 0; round < 10; round += 1) {
      const payment = aPayment();
      const gaveUp = Array.from({ length: 20 }, () => aTombstone(payment));
      const eventId = uuidv7();
      await Promise.all([
        ...gaveUp.slice(10).map((tombstone) => store.giveUp(tombstone, 60_000, eventId)),
        store.request(payment),
        ...gaveUp.slice(0, 10).map((tombstone) => store.giveUp(tombstone, 60_000, eventId)),
      ]);
      const { bookingId } = payment.state;
      const isTombstone = (await stored(payment))?.state.status === 'VOIDED';
      expect(await real.owed(bookingId)).toHaveLength(isTombstone ? 0 : 1);
      expect(await real.news(bookingId)).toHaveLength(isTombstone ? 1 : 0);
    }
  });
});

describe('claiming refunds that are due', () => {
  test('leases each to one of several sweepers, no more than asked for, until it is settled', async () => {
    await real.query('DELETE FROM refund');
    const payments: Payment[] = [];
    for (let index = 0; index < 20; index += 1) {
      const payment = await approvePayment(real.ports, aRequest());
      await store.giveUp(aTombstone(payment), 60_000, uuidv7());
      payments.push(payment);
    }
    const all = payments.map(({ state }) => state.bookingId).sort();
    const [first] = payments as [Payment];
    expect(await store.claimDueRefunds(new Date(), 50)).toEqual([]);

    const due = new Date(Date.now() + 15_000);
    const claims = await Promise.all([
      store.claimDueRefunds(due, 8),
      store.claimDueRefunds(due, 8),
      store.claimDueRefunds(due, 8),
    ]);
    for (const claim of claims) expect(claim.length).toBeLessThanOrEqual(8);
    const rest = await store.claimDueRefunds(due, 50);
    expect([...claims.flat(), ...rest].sort()).toEqual(all);
    expect(await store.claimDueRefunds(due, 50)).toEqual([]);

    await store.save(first, legal(first.refund(60_000)), 'PaymentCancelled', {
      settlesRefund: true,
    });
    const later = new Date(due.getTime() + 60_000);
    expect((await store.claimDueRefunds(later, 50)).sort()).toEqual(
      all.filter((bookingId) => bookingId !== first.state.bookingId),
    );
  });
});

describe('a refund that another sweeper is claiming', () => {
  test('is passed over without waiting for it', async () => {
    await real.query('DELETE FROM refund');
    const [busy, idle] = [await requested(), await requested()];
    for (const payment of [busy, idle]) await store.giveUp(aTombstone(payment), 1, uuidv7());
    const claimed = await real.whileLocked(
      `SELECT FROM refund WHERE payment_id = '${busy.state.id}' FOR UPDATE`,
      () => store.claimDueRefunds(new Date(Date.now() + 15_000), 10),
    );
    expect(claimed).toEqual([idle.state.bookingId]);
  });
});

describe('the database itself', () => {
  test('refuses a second payment of a booking', async () => {
    const payment = await requested();
    const raw = real.query(
      `INSERT INTO payment SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid()))).*
         FROM payment p WHERE id = $1`,
      [payment.state.id],
    );
    await expect(raw).rejects.toMatchObject({ code: '23505' });
  });

  test('refuses to give back more than was paid', async () => {
    const payment = await requested();
    const raw = real.query('UPDATE payment SET refunded = amount + 1 WHERE id = $1', [
      payment.state.id,
    ]);
    await expect(raw).rejects.toMatchObject({ code: '23514' });
  });
});
