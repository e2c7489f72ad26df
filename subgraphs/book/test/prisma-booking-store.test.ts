import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import type { EventRecord } from '#platform/messaging/events.ts';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { createDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { prismaBookingStore } from '../src/adapters/prisma-booking-store.ts';
import type { Booking, BookingRequest } from '../src/domain/booking.ts';
import type { BookingStore } from '../src/ports.ts';
import { aBooking, HOLD_SECONDS, legal, MANY_HOLDS, NOW, secondsAfter } from './a-booking.ts';

let database: TestDatabase;
let prisma: PrismaClient;
let store: BookingStore;
const published: EventRecord[] = [];

beforeAll(async () => {
  database = await createDatabase('book');
  prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  store = prismaBookingStore(prisma, database.pool, {
    publish: (events) => void published.push(...events),
  });
});

afterAll(async () => {
  await prisma?.$disconnect();
  await database?.drop();
});

const HOLD_END = secondsAfter(NOW, HOLD_SECONDS);
const START = new Date('2030-06-03T01:00:00Z');
const hours = (from: number, to: number) => ({
  startAt: secondsAfter(START, from * 3_600),
  endAt: secondsAfter(START, to * 3_600),
});
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const tally = (outcomes: readonly string[]) =>
  Object.fromEntries(
    [...new Set(outcomes)].map((one) => [one, outcomes.filter((other) => other === one).length]),
  );

/** A booking of a space that no other test books. */
const elsewhere = (changes: Partial<BookingRequest> = {}): Booking =>
  aBooking({ spaceId: uuidv7(), ...changes });

const asCustomer = ({ state }: Booking) => ({ userId: state.customerId, as: 'customer' as const });
const request = async (booking: Booking, maxUnpaidHolds = MANY_HOLDS) => {
  const outcome = await store.request(booking, maxUnpaidHolds, asCustomer(booking));
  return typeof outcome === 'string' ? outcome : 'held';
};

async function held(changes: Partial<BookingRequest> = {}): Promise<Booking> {
  const booking = elsewhere(changes);
  const outcome = await store.request(booking, MANY_HOLDS, asCustomer(booking));
  if (typeof outcome === 'string') throw new Error(outcome);
  return outcome;
}

/** Lets the hold end so many seconds ago, by the database's clock. */
const endHold = ({ state }: Booking, secondsAgo = 0) =>
  database.query(
    `UPDATE booking SET hold_expires_at = now() - $2::int * interval '1 second' WHERE id = $1`,
    [state.id, secondsAgo],
  );

const stored = async (booking: Booking) => (await store.find(booking.state.id))?.state;
const outboxOf = (booking: Booking) =>
  database.query<{ version: number; type: string; awaiting: string[]; status: string }>(
    `SELECT version, type, awaiting, payload->>'status' AS status FROM outbox
      WHERE aggregate_id = $1 ORDER BY version`,
    [booking.state.id],
  );
const inInbox = async (eventId: string) =>
  (await database.query('SELECT FROM inbox WHERE event_id = $1', [eventId])).length > 0;
const liveIn = async (spaceId: string) =>
  (await database.query('SELECT FROM booking WHERE space_id = $1 AND live', [spaceId])).length;

describe('requesting a booking', () => {
  test('stores all of it, its key, and the event Booked, which it publishes', async () => {
    const booking = await held();
    const { customerId, idempotencyKey, id } = booking.state;
    expect(await stored(booking)).toMatchObject(booking.state);
    expect(await store.findByKey(customerId, idempotencyKey, 'pm_ok')).toMatchObject({
      booking: { state: booking.state },
      hasPaymentMethod: true,
    });
    expect(await outboxOf(booking)).toEqual([
      { version: 1, type: 'Booked', awaiting: ['mypage', 'space'], status: 'REQUESTED' },
    ]);
    expect(published.filter((event) => event.aggregateId === id)).toHaveLength(1);
  });

  test.each([
    ['the same hours', 2, 4],
    ['one hour of them', 3, 4],
    ['hours around them', 1, 5],
    ['a second of them', 4 - 1 / 3_600, 6],
  ])('is refused over %s, and leaves nothing behind', async (_name, from, to) => {
    const spaceId = uuidv7();
    await held({ spaceId, slot: hours(2, 4) });
    const second = elsewhere({ spaceId, slot: hours(from, to) });
    expect(await request(second)).toBe('overlap');
    expect(await stored(second)).toBeUndefined();
    expect(await outboxOf(second)).toEqual([]);
    expect(published.filter((event) => event.aggregateId === second.state.id)).toEqual([]);
  });

  test('holds slots that are back to back, and the same slot of another space', async () => {
    const spaceId = uuidv7();
    await held({ spaceId, slot: hours(2, 4) });
    await held({ spaceId, slot: hours(4, 5) });
    await held({ spaceId, slot: hours(1, 2) });
    await held({ slot: hours(2, 4) });
    expect(await liveIn(spaceId)).toBe(3);
  });

  test('holds a slot again once its booking is declined, expired or cancelled', async () => {
    const spaceId = uuidv7();
    const ends: ((booking: Booking) => Booking[])[] = [
      (b) => [legal(b.declinePayment())],
      (b) => [legal(b.expire(HOLD_END))],
      (b) => {
        const cancelling = legal(b.cancel('customer', NOW));
        const settled = legal(cancelling.settlePayment());
        return [cancelling, settled, legal(settled.settleRegistration())];
      },
    ];
    for (const end of ends) {
      const booking = await held({ spaceId });
      let previous = booking;
      for (const next of end(booking)) {
        expect(await store.save(previous, next)).toBe('saved');
        previous = next;
      }
      expect(await liveIn(spaceId)).toBe(0);
    }
    await held({ spaceId });
  });

  test('of one slot a hundred times at once holds it exactly once, without a deadlock', async () => {
    const spaceId = uuidv7();
    const outcomes = await Promise.all(
      times(100, (n) => request(elsewhere({ spaceId, customerId: `c${n}` }))),
    );
    expect(tally(outcomes)).toEqual({ held: 1, overlap: 99 });
    expect(await liveIn(spaceId)).toBe(1);
  });

  test('lets its holder go on while others ask for the slot, without a deadlock', async () => {
    const spaceId = uuidv7();
    let booking = await held({ spaceId });
    let asking = true;
    const ask = async (n: number): Promise<string[]> => {
      const outcomes: string[] = [];
      while (asking) {
        outcomes.push(await request(elsewhere({ spaceId, customerId: `c${n}` })));
      }
      return outcomes;
    };
    const askers = times(8, ask);
    for (let change = 0; change < 300; change += 1) {
      const next = legal(booking.deferPayment(secondsAfter(NOW, change)));
      expect(await store.save(booking, next)).toBe('saved');
      booking = next;
    }
    asking = false;
    const outcomes = (await Promise.all(askers)).flat();
    expect(tally(outcomes)).toEqual({ overlap: outcomes.length });
  });

  test('of overlapping slots at once holds only slots that are apart', async () => {
    const spaceId = uuidv7();
    const outcomes = await Promise.all(
      times(60, (n) => {
        const from = (n * 7) % 20;
        return request(elsewhere({ spaceId, slot: hours(from, from + 1 + (n % 4)) }));
      }),
    );
    expect(await liveIn(spaceId)).toBe(tally(outcomes).held);
    const overlaps = await database.query(
      `SELECT FROM booking a JOIN booking b ON a.id < b.id AND a.space_id = b.space_id
        WHERE a.space_id = $1 AND a.live AND b.live AND a.start_at < b.end_at AND b.start_at < a.end_at`,
      [spaceId],
    );
    expect(overlaps).toEqual([]);
  });

  test('with one key fifty times at once makes one booking', async () => {
    const spaceId = uuidv7();
    const key = { customerId: 'chulsoo', idempotencyKey: uuidv7() };
    const bookings = times(50, () => elsewhere({ spaceId, ...key }));
    const outcomes = await Promise.all(bookings.map((booking) => request(booking)));
    expect(outcomes.filter((outcome) => outcome === 'held')).toHaveLength(1);
    const winner = bookings[outcomes.indexOf('held')];
    const found = await store.findByKey(key.customerId, key.idempotencyKey, 'pm_ok');
    expect(found?.booking.state.id).toBe(winner?.state.id);
    expect(await database.query('SELECT FROM booking WHERE space_id = $1', [spaceId])).toHaveLength(
      1,
    );
  });

  test('with one key for fifty different slots at once makes one booking', async () => {
    const key = { customerId: 'chulsoo', idempotencyKey: uuidv7() };
    const outcomes = await Promise.all(times(50, () => request(elsewhere(key))));
    expect(tally(outcomes)).toEqual({ held: 1, 'key-taken': 49 });
  });

  test('with the key of another customer is another booking', async () => {
    const { idempotencyKey } = (await held({ customerId: 'chulsoo' })).state;
    await held({ customerId: 'Chulsoo', idempotencyKey });
  });
});

describe('the database itself', () => {
  const copyOf = (id: string, from: string, to: string, live = 'TRUE', status = "'PAID'") =>
    database.query(
      `INSERT INTO booking
       SELECT (jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid(),
                'idempotency_key', gen_random_uuid(), 'start_at', ${from}, 'end_at', ${to},
                'live', ${live}, 'status', ${status}))).*
         FROM booking b WHERE id = $1`,
      [id],
    );

  test('refuses an overlap that no check of ours has seen', async () => {
    const { id } = (await held({ slot: hours(0, 2) })).state;
    const raw = copyOf(id, "start_at + interval '1 hour'", "end_at + interval '1 hour'");
    await expect(raw).rejects.toMatchObject({ code: '23P01', constraint: 'booking_no_overlap' });
  });

  test('takes a row that is back to back, so that the refusal above is for the overlap', async () => {
    const { id } = (await held({ slot: hours(0, 2) })).state;
    await copyOf(id, 'end_at', "end_at + interval '1 hour'");
  });

  test('refuses a slot that comes back to life where another is held meanwhile', async () => {
    const first = await held();
    await store.save(first, legal(first.declinePayment()));
    await held({ spaceId: first.state.spaceId });
    const raw = database.query("UPDATE booking SET live = TRUE, status = 'PAID' WHERE id = $1", [
      first.state.id,
    ]);
    await expect(raw).rejects.toMatchObject({ code: '23P01' });
  });

  test('refuses a status that does not fit the hold', async () => {
    const { id } = (await held()).state;
    const raw = database.query('UPDATE booking SET live = FALSE WHERE id = $1', [id]);
    await expect(raw).rejects.toMatchObject({
      code: '23514',
      constraint: 'booking_live_by_status',
    });
  });

  test('refuses a slot that ends before it starts', async () => {
    const { id } = (await held()).state;
    const raw = copyOf(id, 'end_at', 'start_at', 'FALSE', "'EXPIRED'");
    // PostgreSQL names the range before it comes to the check when the row is live.
    await expect(raw).rejects.toMatchObject({ code: '23514', constraint: 'booking_slot_order' });
  });

  test('refuses a second event of the same version', async () => {
    const { id } = (await held()).state;
    const raw = database.query(
      `INSERT INTO outbox SELECT (jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid()))).*
         FROM outbox o WHERE aggregate_id = $1`,
      [id],
    );
    await expect(raw).rejects.toMatchObject({ code: '23505' });
  });
});

describe('a hold whose payment did not come in time', () => {
  test('is released, with its event, by the transaction of the request that it is in the way of', async () => {
    const stale = await held();
    const { spaceId } = stale.state;
    await endHold(stale, 60);
    const booking = await held({ spaceId });
    expect(await stored(stale)).toMatchObject({ status: 'EXPIRED', version: 2 });
    expect((await outboxOf(stale))[1]).toEqual({
      version: 2,
      type: 'BookingReleased',
      awaiting: ['mypage', 'payment', 'space'],
      status: 'EXPIRED',
    });
    const transactions = await database.query(
      `SELECT DISTINCT xmin::text FROM booking WHERE space_id = $1
       UNION
       SELECT xmin::text FROM outbox WHERE aggregate_id = $2 OR (aggregate_id = $3 AND version = 2)`,
      [spaceId, booking.state.id, stale.state.id],
    );
    expect(transactions).toHaveLength(1);
    expect(published.filter((event) => event.aggregateId === stale.state.id)).toHaveLength(2);
  });

  test.each(['REQUESTED', 'PAYMENT_DEFERRED'])(
    'keeps its slot to the last moment while it is %s',
    async (status) => {
      const first = await held();
      const { spaceId } = first.state;
      if (status === 'PAYMENT_DEFERRED') {
        expect(await store.save(first, legal(first.deferPayment(NOW)))).toBe('saved');
      }
      await endHold(first, -60);
      expect(await request(elsewhere({ spaceId }))).toBe('overlap');
      await endHold(first);
      expect(await request(elsewhere({ spaceId }))).toBe('held');
    },
  );

  test('is not released once it is paid', async () => {
    const paid = await held();
    await store.save(paid, legal(paid.approvePayment()));
    await endHold(paid, 60);
    const { spaceId } = paid.state;
    expect(await request(elsewhere({ spaceId }))).toBe('overlap');
    expect(await stored(paid)).toMatchObject({ status: 'PAID' });
  });

  test('stays when the request fails after all', async () => {
    const { customerId, idempotencyKey } = (await held({ customerId: 'yuna' })).state;
    const spaceId = uuidv7();
    const stale = await held({ spaceId, slot: hours(0, 1) });
    const paid = await held({ spaceId, slot: hours(1, 2) });
    await store.save(paid, legal(paid.approvePayment()));

    await endHold(stale, 60);
    const before = await stored(stale);
    const overBoth = elsewhere({ spaceId, slot: hours(0, 2) });
    expect(await request(overBoth)).toBe('overlap');
    const sameKey = elsewhere({ spaceId, slot: hours(0, 1), customerId, idempotencyKey });
    expect(await request(sameKey)).toBe('key-taken');

    expect(await stored(stale)).toEqual(before);
    expect(await outboxOf(stale)).toHaveLength(1);
  });

  test('gives its slot to exactly one of a hundred that ask at once, without a deadlock', async () => {
    const spaceId = uuidv7();
    const stale = [
      await held({ spaceId, slot: hours(0, 1) }),
      await held({ spaceId, slot: hours(1, 2) }),
      await held({ spaceId, slot: hours(2, 3) }),
    ];
    for (const hold of stale) await endHold(hold, 60);
    const outcomes = await Promise.all(
      times(100, (n) => request(elsewhere({ spaceId, customerId: `c${n}`, slot: hours(0, 3) }))),
    );
    expect(tally(outcomes)).toEqual({ held: 1, overlap: 99 });
    for (const hold of stale) {
      expect(await stored(hold)).toMatchObject({ status: 'EXPIRED', version: 2 });
      expect(await outboxOf(hold)).toHaveLength(2);
    }
  });
});

describe('saving a booking', () => {
  test('is refused over a newer version, and changes nothing', async () => {
    const booking = await held();
    const paid = legal(booking.approvePayment());
    expect(await store.save(booking, paid)).toBe('saved');
    expect(await store.save(booking, legal(booking.declinePayment()), uuidv7())).toBe('stale');
    expect(await stored(booking)).toMatchObject(paid.state);
    expect(await outboxOf(booking)).toMatchObject([
      { version: 1, status: 'REQUESTED' },
      { version: 2, type: 'BookingPaid', status: 'PAID', awaiting: ['mypage', 'space'] },
    ]);
  });

  test('is done by exactly one of twenty at once', async () => {
    const booking = await held();
    const outcomes = await Promise.all(
      times(20, (n) =>
        store.save(booking, legal(n % 2 ? booking.approvePayment() : booking.cancel('host', NOW))),
      ),
    );
    expect(tally(outcomes)).toEqual({ saved: 1, stale: 19 });
    expect(await outboxOf(booking)).toHaveLength(2);
  });

  test('for an event notes the event', async () => {
    const booking = await held();
    const eventId = uuidv7();
    expect(await store.findForEvent(booking.state.id, eventId)).toMatchObject({
      booking,
      taken: false,
    });
    expect(await store.save(booking, legal(booking.approvePayment()), eventId)).toBe('saved');
    expect(await store.findForEvent(booking.state.id, eventId)).toMatchObject({ taken: true });
    expect(await inInbox(eventId)).toBe(true);
  });

  test('for an event that was taken before is stale, and changes nothing', async () => {
    const booking = await held();
    const eventId = uuidv7();
    await store.take(eventId);
    await store.take(eventId);
    expect(await store.save(booking, legal(booking.approvePayment()), eventId)).toBe('stale');
    expect(await stored(booking)).toMatchObject(booking.state);
    expect(await outboxOf(booking)).toHaveLength(1);
  });

  test('that is stale does not note its event', async () => {
    const booking = await held();
    await store.save(booking, legal(booking.approvePayment()));
    const eventId = uuidv7();
    expect(await store.save(booking, legal(booking.declinePayment()), eventId)).toBe('stale');
    expect(await inInbox(eventId)).toBe(false);
  });

  test('tells of a new status exactly once, and not of a step that keeps the status', async () => {
    const booking = await held();
    const cancelling = legal(booking.cancel('customer', NOW));
    const half = legal(cancelling.settlePayment());
    const cancelled = legal(half.settleRegistration());
    expect(await store.save(booking, cancelling)).toBe('saved');
    expect(await store.save(cancelling, half)).toBe('saved');
    expect(await stored(booking)).toMatchObject(half.state);
    expect(await store.save(half, cancelled)).toBe('saved');
    expect(await stored(booking)).toMatchObject(cancelled.state);
    expect(await outboxOf(booking)).toMatchObject([
      { version: 1, type: 'Booked' },
      { version: 2, type: 'BookingCancelled', awaiting: ['mypage', 'payment', 'space'] },
      { version: 4, type: 'BookingReleased', status: 'CANCELLED' },
    ]);
    expect(published.filter((event) => event.aggregateId === booking.state.id)).toHaveLength(3);
  });
});

describe('the occupied slots', () => {
  test('are those that live bookings hold, in order, without stale holds', async () => {
    const spaceId = uuidv7();
    const late = await held({ spaceId, slot: hours(6, 7) });
    await store.save(late, legal(late.approvePayment()));
    const hold = await held({ spaceId, slot: hours(2, 3) });
    const gone = await held({ spaceId, slot: hours(4, 5) });
    await store.save(gone, legal(gone.declinePayment()));
    const { startAt, endAt } = hours(0, 24);
    expect(await store.occupied(spaceId, startAt, endAt)).toEqual([hours(2, 3), hours(6, 7)]);
    expect(await store.occupied(spaceId, hours(3, 6).startAt, hours(3, 6).endAt)).toEqual([]);
    expect(await store.occupied(uuidv7(), startAt, endAt)).toEqual([]);
    await endHold(hold);
    expect(await store.occupied(spaceId, startAt, endAt)).toEqual([hours(6, 7)]);
  });

  test('of a page of spaces are found with one statement, each for its own range', async () => {
    const bookings = await Promise.all(
      times(100, (index) => held({ slot: hours(index, index + 1) })),
    );
    let statements = 0;
    const counting = {
      query: (...args: Parameters<typeof database.pool.query>) => {
        statements += 1;
        return database.pool.query(...args);
      },
    };
    const counted = prismaBookingStore(prisma, counting as typeof database.pool, {
      publish: () => {},
    });
    const { startAt, endAt } = hours(0, 100);
    const all = await Promise.all(
      bookings.map(({ state }, index) =>
        index % 2
          ? counted.occupied(state.spaceId, startAt, endAt)
          : counted.occupied(state.spaceId, startAt, state.slot.startAt),
      ),
    );
    expect(all).toEqual(bookings.map(({ state }, index) => (index % 2 ? [state.slot] : [])));
    expect(statements).toBe(1);
  });
});

describe('claiming bookings whose payment is unknown', () => {
  const makeDue = () =>
    database.query('UPDATE booking SET next_payment_attempt_at = now() WHERE live');
  const ids = (claimed: Awaited<ReturnType<typeof store.claimUnpaid>>) =>
    claimed.map(({ booking }) => booking.state.id).sort();

  test('leases each to one of several sweepers, no more than asked for, until the lease ends', async () => {
    await database.query('DELETE FROM booking');
    const due = await Promise.all(times(24, () => held()));
    const [paid, ...unpaid] = due as [Booking, ...Booking[]];
    await store.save(paid, legal(paid.approvePayment()));
    const unpaidIds = unpaid.map(({ state }) => state.id).sort();
    await makeDue();
    const claims = await Promise.all(times(3, () => store.claimUnpaid(10, 'all')));
    for (const claim of claims) expect(claim.length).toBeLessThanOrEqual(10);
    const rest = await store.claimUnpaid(50, 'all');
    expect(ids([...claims.flat(), ...rest])).toEqual(unpaidIds);
    expect(await store.claimUnpaid(50, 'all')).toEqual([]);

    await makeDue();
    const again = await store.claimUnpaid(50, 'all');
    expect(ids(again)).toEqual(unpaidIds);
    for (const { booking, now } of again) {
      expect(booking.state).toMatchObject({ paymentAttempts: 3, version: 1, status: 'REQUESTED' });
      const lease = (booking.state.nextPaymentAttemptAt?.getTime() ?? 0) - now.getTime();
      expect(Math.abs(lease - 10_000)).toBeLessThanOrEqual(1);
    }
  });

  test('finds nothing before it is due, and only expired holds where those alone are asked for', async () => {
    await database.query('DELETE FROM booking');
    const [expired] = [await held(), await held()];
    expect(await store.claimUnpaid(50, 'all')).toEqual([]);
    await makeDue();
    await endHold(expired);
    expect(ids(await store.claimUnpaid(50, 'expired'))).toEqual([expired.state.id]);
  });

  test('passes over those that another sweeper is claiming, without waiting for it', async () => {
    await database.query('DELETE FROM booking');
    const [busy, idle] = [await held(), await held()];
    await makeDue();
    const claimed = await database.whileLocked(
      `SELECT FROM booking WHERE id = '${busy.state.id}' FOR UPDATE`,
      () => store.claimUnpaid(10, 'all'),
    );
    expect(ids(claimed)).toEqual([idle.state.id]);
  });
});

describe('a replica whose clock is wrong', () => {
  const HOUR = 3_600;
  test.each([
    ['ahead', HOUR],
    ['behind', -HOUR],
  ])('by an hour %s writes holds of the usual length', async (_name, seconds) => {
    const wrong = secondsAfter(new Date(), seconds);
    const booking = aBooking({ spaceId: uuidv7() }, { now: wrong });
    expect(await request(booking)).toBe('held');
    const [row] = await database.query<{ left: number; first: number }>(
      `SELECT extract(epoch FROM hold_expires_at - now())::float AS left,
              extract(epoch FROM next_payment_attempt_at - requested_at)::float AS first
         FROM booking WHERE id = $1`,
      [booking.state.id],
    );
    expect(row?.first).toBe(5);
    expect(row?.left).toBeGreaterThan(HOLD_SECONDS - 60);
    expect(row?.left).toBeLessThanOrEqual(HOLD_SECONDS);
  });

  test.each([
    ['ahead', HOUR],
    ['behind', -HOUR],
  ])(
    'by an hour %s neither gives away a live hold nor keeps a stale one',
    async (_name, seconds) => {
      const wrong = secondsAfter(new Date(), seconds);
      const spaceId = uuidv7();
      const standing = await held({ spaceId });
      const rival = () => aBooking({ spaceId }, { now: wrong });
      expect(await request(rival())).toBe('overlap');
      expect(await stored(standing)).toMatchObject({ status: 'REQUESTED' });
      await endHold(standing);
      expect(await request(rival())).toBe('held');
      expect(await stored(standing)).toMatchObject({ status: 'EXPIRED' });
    },
  );
});

describe('the limit of unpaid holds', () => {
  const LIMIT = 5;
  const aCustomer = () => ({ customerId: `customer-${uuidv7()}` });
  const unpaidOf = async (customerId: string) =>
    (
      await database.query(
        `SELECT FROM booking
          WHERE customer_id = $1 AND status IN ('REQUESTED', 'PAYMENT_DEFERRED')
            AND hold_expires_at > now()`,
        [customerId],
      )
    ).length;

  test('refuses all but five of forty requests of one customer at once', async () => {
    const by = aCustomer();
    const outcomes = await Promise.all(times(40, () => request(elsewhere(by), LIMIT)));
    expect(tally(outcomes)).toEqual({ held: LIMIT, 'too-many': 35 });
    expect(await unpaidOf(by.customerId)).toBe(LIMIT);
  });

  test('refuses them also where each takes over an expired hold', async () => {
    const by = aCustomer();
    const stale = await Promise.all(times(10, () => held()));
    for (const hold of stale) await endHold(hold, 60);
    const outcomes = await Promise.all(
      stale.map(({ state }) => request(elsewhere({ ...by, spaceId: state.spaceId }), LIMIT)),
    );
    expect(tally(outcomes)).toEqual({ held: LIMIT, 'too-many': 5 });
    expect(await unpaidOf(by.customerId)).toBe(LIMIT);
  });

  test('does not count what is paid, ended or expired, nor the holds of others', async () => {
    const by = aCustomer();
    const holds = await Promise.all(times(LIMIT, () => held(by)));
    const [paid, declined, cancelled, expired] = holds as [Booking, Booking, Booking, Booking];
    expect(await request(elsewhere(by), LIMIT)).toBe('too-many');
    expect(await request(elsewhere(aCustomer()), LIMIT)).toBe('held');
    await store.save(paid, legal(paid.approvePayment()));
    await store.save(declined, legal(declined.declinePayment()));
    await store.save(cancelled, legal(cancelled.cancel('customer', NOW)));
    await endHold(expired);
    const outcomes = await Promise.all(times(10, () => request(elsewhere(by), LIMIT)));
    expect(tally(outcomes)).toEqual({ held: 4, 'too-many': 6 });
  });

  test('answers a repeated request like the first one', async () => {
    const by = aCustomer();
    const [first] = await Promise.all(times(LIMIT, () => held(by)));
    const { idempotencyKey } = (first as Booking).state;
    expect(await request(elsewhere({ ...by, idempotencyKey }), LIMIT)).toBe('key-taken');
  });
});

describe('the payment method', () => {
  const methodsOf = async ({ state }: Booking) =>
    (await database.query('SELECT payment_method FROM booking WHERE id = $1', [state.id]))[0];

  test.each<[string, (booking: Booking) => Booking]>([
    ['is paid', (b) => legal(b.approvePayment())],
    ['is declined', (b) => legal(b.declinePayment())],
    ['expires', (b) => legal(b.expire(HOLD_END))],
    ['is cancelled', (b) => legal(b.cancel('customer', NOW))],
  ])('is erased when the booking %s, and can still be compared', async (_name, end) => {
    const booking = await held({ paymentMethod: 'pm_secret' });
    const { customerId, idempotencyKey } = booking.state;
    expect(await methodsOf(booking)).toEqual({ payment_method: 'pm_secret' });
    expect(await store.save(booking, end(booking))).toBe('saved');
    expect(await methodsOf(booking)).toEqual({ payment_method: '' });
    const found = (method: string) => store.findByKey(customerId, idempotencyKey, method);
    expect(await found('pm_secret')).toMatchObject({ hasPaymentMethod: true });
    expect(await found('pm_other')).toMatchObject({ hasPaymentMethod: false });
    expect(await found('')).toMatchObject({ hasPaymentMethod: false });
  });

  test('stays while the payment is deferred', async () => {
    const booking = await held({ paymentMethod: 'pm_secret' });
    await store.save(booking, legal(booking.deferPayment(NOW)));
    expect(await methodsOf(booking)).toEqual({ payment_method: 'pm_secret' });
  });

  test('is erased too where the previous release writes the new status', async () => {
    const booking = await held({ paymentMethod: 'pm_secret' });
    await database.query("UPDATE booking SET status = 'PAID' WHERE id = $1", [booking.state.id]);
    expect(await methodsOf(booking)).toEqual({ payment_method: '' });
  });

  test('has a digest of its own in each booking', async () => {
    const bookings = [await held(), await held()];
    const digests = await database.query<{ digest: string }>(
      'SELECT DISTINCT payment_method_digest AS digest FROM booking WHERE id = ANY($1)',
      [bookings.map(({ state }) => state.id)],
    );
    expect(digests).toHaveLength(2);
    for (const { digest } of digests) expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('a booking whose registration is cancelled while its refund takes its time', () => {
  const cancelling = async (spaceId: string) => {
    const requested = await held({ spaceId });
    const paid = legal(requested.approvePayment());
    const cancelled = legal(paid.cancel('customer', NOW));
    const unregistered = legal(cancelled.settleRegistration());
    expect(await store.save(requested, paid)).toBe('saved');
    expect(await store.save(paid, cancelled)).toBe('saved');
    return { cancelled, unregistered };
  };

  test('gives its slot free with the registration, not with the refund', async () => {
    const spaceId = uuidv7();
    const { cancelled, unregistered } = await cancelling(spaceId);
    expect(await request(elsewhere({ spaceId }))).toBe('overlap');
    expect(await store.save(cancelled, unregistered, uuidv7())).toBe('saved');
    expect(await request(elsewhere({ spaceId }))).toBe('held');
    expect(await stored(unregistered)).toMatchObject({ status: 'CANCELLING' });
  });

  test('takes nothing back from the booking that has the slot now, whatever comes late', async () => {
    const spaceId = uuidv7();
    const { cancelled, unregistered } = await cancelling(spaceId);
    const eventId = uuidv7();
    expect(await store.save(cancelled, unregistered, eventId)).toBe('saved');
    const next = await held({ spaceId });
    const late = legal(unregistered.settleRegistration());
    expect(await store.save(unregistered, late, eventId)).toBe('stale');
    expect(await store.save(unregistered, late, uuidv7())).toBe('saved');
    expect(await store.save(late, legal(late.settlePayment()), uuidv7())).toBe('saved');
    expect(await stored(unregistered)).toMatchObject({ status: 'CANCELLED' });
    expect(await stored(next)).toMatchObject({ status: 'REQUESTED', version: 1 });
    expect(await liveIn(spaceId)).toBe(1);
  });

  test('stays without its slot where the previous release writes it again', async () => {
    const spaceId = uuidv7();
    const { cancelled, unregistered } = await cancelling(spaceId);
    await store.save(cancelled, unregistered);
    await held({ spaceId });
    await database.query('UPDATE booking SET live = TRUE, version = version + 1 WHERE id = $1', [
      cancelled.state.id,
    ]);
    expect(await liveIn(spaceId)).toBe(1);
  });
});
