import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { inTransaction } from '#platform/database/postgres.ts';
import { until } from '../../../tests/support/system.ts';
import { leaseMs } from '../src/adapters/prisma-payment-store.ts';
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
      id: expect.any(String),
      paymentId: payment.state.id,
      amount: 20_000,
      settled: false,
      settledOutside: false,
      failed: false,
      isDue: true,
      attempt: 1,
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

describe('saving an approval', () => {
  const approvedOf = (payment: Payment) => legal(payment.approve(new Date()));

  test('of which a refund is owed writes it and publishes nothing', async () => {
    const payment = await requested();
    await store.giveUp(aTombstone(payment), 60_000, uuidv7());
    const approved = approvedOf(payment);
    expect(await store.save(payment, approved, 'PaymentApproved')).toBe('saved');
    expect(await stored(payment)).toEqual(approved);
    expect(await real.news(payment.state.bookingId)).toEqual([]);
    const refunded = legal(approved.refund(60_000));
    await store.save(approved, refunded, 'PaymentCancelled', { settlesRefund: true });
    expect(await real.news(payment.state.bookingId)).toEqual(['PaymentCancelled']);
    const { published } = real;
    const ofIt = published.filter(({ aggregateId }) => aggregateId === payment.state.id);
    expect(ofIt.map(({ type }) => type)).toEqual(['PaymentCancelled']);
  });

  test('whose row is locked by an obligation that commits meanwhile publishes nothing', async () => {
    const payment = await requested();
    const saving = await inTransaction(real.pool, async (db) => {
      await db.query('UPDATE payment SET refund_owed = TRUE WHERE id = $1', [payment.state.id]);
      await db.query('INSERT INTO refund (payment_id, amount) VALUES ($1, 1)', [payment.state.id]);
      const save = store.save(payment, approvedOf(payment), 'PaymentApproved');
      await until('the approval waits for the row', async () => {
        const [waiting] = await real.query<{ waits: boolean }>(
          `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                   AND query LIKE '%published AS%' AND datname = current_database()) AS waits`,
        );
        return waiting?.waits === true;
      });
      return { save };
    });
    expect(await saving.save).toBe('saved');
    expect(await real.news(payment.state.bookingId)).toEqual([]);
  });

  test('against an obligation at the same time publishes it or owes first, fifty times', async () => {
    for (let round = 0; round < 50; round += 1) {
      const payment = await requested();
      const save = () => store.save(payment, approvedOf(payment), 'PaymentApproved');
      const owe = () => store.giveUp(aTombstone(payment), 60_000, uuidv7());
      const both: (() => Promise<unknown>)[] = round % 2 ? [save, owe] : [owe, save];
      await Promise.all(both.map((step) => step()));
      const { bookingId } = payment.state;
      expect((await stored(payment))?.state.status).toBe('APPROVED');
      expect(await real.owed(bookingId)).toEqual([{ amount: 60_000, settled: false }]);
      expect((await real.news(bookingId)).length).toBeLessThanOrEqual(1);
    }
  });
});

describe('a payment method', () => {
  test('is forgotten by the database as soon as the charge is decided, whoever decides it', async () => {
    const payment = await requested();
    await store.save(payment, legal(payment.approve(new Date())), 'PaymentApproved');
    const other = await requested();
    // The previous release leaves the column alone.
    await real.query("UPDATE payment SET status = 'DECLINED' WHERE id = $1", [other.state.id]);
    const kept = await real.query(
      "SELECT id FROM payment WHERE payment_method <> '' AND id = ANY($1::uuid[])",
      [[payment.state.id, other.state.id]],
    );
    expect(kept).toEqual([]);
  });
});

describe('the charge of a pending payment', () => {
  test('is leased to one of many processes until it is released', async () => {
    const payment = await requested();
    const { id } = payment.state;
    expect(await store.claimCharge(id)).toBe(false);
    await store.releaseCharge(id);
    const claims = await Promise.all(Array.from({ length: 20 }, () => store.claimCharge(id)));
    expect(claims.filter(Boolean)).toHaveLength(1);
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
    expect(await store.claimDueRefunds(50)).toEqual([]);

    await real.letTimePass();
    const claims = await Promise.all([
      store.claimDueRefunds(8),
      store.claimDueRefunds(8),
      store.claimDueRefunds(8),
    ]);
    for (const claim of claims) expect(claim.length).toBeLessThanOrEqual(8);
    const rest = await store.claimDueRefunds(50);
    expect([...claims.flat(), ...rest].sort()).toEqual(all);
    expect(await store.claimDueRefunds(50)).toEqual([]);

    const paid = legal((await stored(first))?.refund(60_000) as Payment);
    await store.save(first, paid, 'PaymentCancelled', { settlesRefund: true });
    await real.letTimePass();
    expect((await store.claimDueRefunds(50)).sort()).toEqual(
      all.filter((bookingId) => bookingId !== first.state.bookingId),
    );
  });

  test('leases them for longer than the attempts that a lease covers may take', async () => {
    await real.query('DELETE FROM refund');
    const payment = await requested();
    await store.giveUp(aTombstone(payment), 1, uuidv7());
    await real.letTimePass();
    expect(await store.claimDueRefunds(1)).toEqual([payment.state.bookingId]);
    const [lease] = await real.query<{ ms: number }>(
      'SELECT extract(epoch FROM next_attempt_at - now())::float * 1000 AS ms FROM refund',
    );
    // Measured a moment later than it began.
    expect(lease?.ms).toBeGreaterThan(4_000);
    expect(leaseMs(10_000)).toBeGreaterThan(2 * 10_000);
  });

  test('postpones one only for the process that has its newest lease', async () => {
    await real.query('DELETE FROM refund');
    const payment = await requested();
    await store.giveUp(aTombstone(payment), 1, uuidv7());
    const before = await store.refundOf(payment.state.id);
    if (!before) throw new Error('nothing is owed');
    await real.letTimePass();
    await store.claimDueRefunds(1);
    const dueAt = () => real.query('SELECT next_attempt_at FROM refund');
    const leased = await dueAt();
    await store.postponeRefund(before);
    expect(await store.refuseRefund(before)).toBe(1);
    expect(await dueAt()).toEqual(leased);
  });
});

describe('a refund that another sweeper is claiming', () => {
  test('is passed over without waiting for it', async () => {
    await real.query('DELETE FROM refund');
    const [busy, idle] = [await requested(), await requested()];
    for (const payment of [busy, idle]) await store.giveUp(aTombstone(payment), 1, uuidv7());
    await real.letTimePass();
    const claimed = await real.whileLocked(
      `SELECT FROM refund WHERE payment_id = '${busy.state.id}' FOR UPDATE`,
      () => store.claimDueRefunds(10),
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
