import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { inTransaction } from '#platform/database/postgres.ts';
import type { Booking } from '../../src/domain/booking.ts';
import type { TimeSlot } from '../../src/domain/time-slot.ts';
import { legal, NOW } from '../a-booking.ts';
import {
  type BookingDatabase,
  bookingElsewhere,
  HOLD_END,
  hours,
  openBookingDatabase,
} from './booking-database.ts';

let book: BookingDatabase;

beforeAll(async () => {
  book = await openBookingDatabase();
});

afterAll(() => book?.close());

const insertCopy = (id: string, from: string, to: string, live = 'TRUE', status = "'PAID'") =>
  `INSERT INTO booking
   SELECT (jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid(),
            'idempotency_key', gen_random_uuid(), 'start_at', ${from}, 'end_at', ${to},
            'live', ${live}, 'status', ${status}))).*
     FROM booking b WHERE id = '${id}'
   RETURNING id`;
const OVERLAP = ["start_at + interval '1 hour'", "end_at + interval '1 hour'"] as const;

const insertHold = (
  spaceId: string,
  { startAt, endAt }: TimeSlot,
  ownerId: string,
  bookingId: string | null = null,
) =>
  book.database.query(
    `INSERT INTO slot_hold (space_id, owner_id, booking_id, start_at, end_at, live)
     VALUES ($1, $2, $3, $4, $5, TRUE)`,
    [spaceId, ownerId, bookingId, startAt, endAt],
  );

const readHolds = ({ state }: Booking) =>
  book.database.query(
    `SELECT space_id AS "spaceId", owner_id AS "ownerId", start_at AS "startAt", end_at AS "endAt",
            live FROM slot_hold WHERE booking_id = $1`,
    [state.id],
  );

describe('the hold of a booking', () => {
  test('the hold of a booking has its space and its slot, and stays live while it is paid', async () => {
    const booking = await book.hold();
    const { id, spaceId, slot } = booking.state;
    const hold = { spaceId, ownerId: id, ...slot, live: true };
    expect(await readHolds(booking)).toEqual([hold]);
    const paid = legal(booking.approvePayment());
    await book.store.save(booking, paid);
    await book.store.save(paid, legal(paid.confirm()));
    expect(await readHolds(booking)).toEqual([hold]);
  });

  test.each<[string, (booking: Booking) => Booking[]]>([
    ['declined', (b) => [legal(b.declinePayment())]],
    ['expired', (b) => [legal(b.expire(HOLD_END))]],
    [
      'cancelled',
      (b) => {
        const cancelling = legal(b.cancel('customer', NOW));
        return [cancelling, legal(cancelling.completeRegistrationCancellation())];
      },
    ],
  ])('the hold of a booking that is %s is not live', async (_name, versions) => {
    let booking = await book.hold();
    for (const next of versions(booking)) {
      await book.store.save(booking, next);
      booking = next;
    }
    expect(await readHolds(booking)).toMatchObject([{ live: false }]);
  });

  test('the hold of a booking is in the transaction of the booking', async () => {
    const { id } = (await book.hold()).state;
    const transactions = await book.database.query(
      `SELECT DISTINCT xmin::text FROM (SELECT xmin FROM booking WHERE id = $1 UNION ALL
                                        SELECT xmin FROM slot_hold WHERE booking_id = $1) t`,
      [id],
    );
    expect(transactions).toHaveLength(1);
  });

  test('a request with a used key leaves no hold behind', async () => {
    const { customerId, idempotencyKey } = (await book.hold()).state;
    const repeated = bookingElsewhere({ customerId, idempotencyKey });
    expect(await book.insert(repeated)).toBe('key-used');
    expect(await readHolds(repeated)).toEqual([]);
  });

  test('the hold of a booking is deleted with it', async () => {
    const booking = await book.hold();
    await book.database.query('DELETE FROM booking WHERE id = $1', [booking.state.id]);
    expect(await readHolds(booking)).toEqual([]);
  });

  test('two holds of one booking may overlap, and are both released with it', async () => {
    const booking = await book.hold({ slot: hours(0, 2) });
    const { id, spaceId } = booking.state;
    await insertHold(spaceId, hours(1, 3), id, id);
    expect(await readHolds(booking)).toMatchObject([{ live: true }, { live: true }]);
    const later = bookingElsewhere({ spaceId, slot: hours(2, 3) });
    expect(await book.insert(later)).toBe('overlap');
    await book.store.save(booking, legal(booking.declinePayment()));
    expect(await book.insert(later)).toBe('held');
  });
});

describe('a hold without a booking', () => {
  test('a hold without a booking refuses bookings of its slot, and shows as occupied', async () => {
    const spaceId = uuidv7();
    await insertHold(spaceId, hours(2, 4), uuidv7());
    expect(await book.insert(bookingElsewhere({ spaceId, slot: hours(3, 5) }))).toBe('overlap');
    expect(await book.insert(bookingElsewhere({ spaceId, slot: hours(4, 5) }))).toBe('held');
    const { startAt, endAt } = hours(0, 24);
    expect(await book.store.occupiedSlots(spaceId, startAt, endAt)).toEqual([
      hours(2, 4),
      hours(4, 5),
    ]);
  });

  test('a hold without a booking is refused over a live booking', async () => {
    const { spaceId, slot } = (await book.hold()).state;
    await expect(insertHold(spaceId, slot, uuidv7())).rejects.toMatchObject({
      code: '23P01',
      constraint: 'slot_hold_no_overlap',
    });
  });

  test('a hold that names another owner than its booking is refused', async () => {
    const { id } = (await book.hold()).state;
    await expect(insertHold(uuidv7(), hours(0, 1), uuidv7(), id)).rejects.toMatchObject({
      code: '23514',
      constraint: 'slot_hold_owner',
    });
  });

  test('a hold of a booking that does not exist is refused', async () => {
    const id = uuidv7();
    await expect(insertHold(uuidv7(), hours(0, 1), id, id)).rejects.toMatchObject({
      code: '23503',
    });
  });
});

describe('a booking that is written past the store', () => {
  test('a plain insert of an overlapping booking writes nothing', async () => {
    const { id, spaceId } = (await book.hold({ slot: hours(0, 2) })).state;
    expect(await book.database.query(insertCopy(id, ...OVERLAP))).toEqual([]);
    expect(await book.countLive(spaceId)).toBe(1);
  });

  test('the constraint of bookings refuses an overlap where the triggers are off', async () => {
    const { id } = (await book.hold({ slot: hours(0, 2) })).state;
    const work = inTransaction(book.database.pool, async (db) => {
      await db.query('SET LOCAL session_replication_role = replica');
      await db.query(insertCopy(id, ...OVERLAP, 'TRUE', "'REQUESTED'"));
    });
    await expect(work).rejects.toMatchObject({ code: '23P01', constraint: 'booking_no_overlap' });
  });

  test('a plain insert of a booking that is back to back is written', async () => {
    const { id, spaceId } = (await book.hold({ slot: hours(0, 2) })).state;
    const rows = await book.database.query(insertCopy(id, 'end_at', "end_at + interval '1 hour'"));
    expect(rows).toHaveLength(1);
    expect(await book.countLive(spaceId)).toBe(2);
  });

  test('a released booking cannot become live again where another one holds its slot', async () => {
    const first = await book.hold();
    await book.store.save(first, legal(first.declinePayment()));
    await book.hold({ spaceId: first.state.spaceId });
    const revive = book.database.query(
      "UPDATE booking SET live = TRUE, status = 'PAID' WHERE id = $1",
      [first.state.id],
    );
    await expect(revive).rejects.toMatchObject({ code: '23P01' });
  });

  test('a booking that becomes live again has a live hold', async () => {
    const first = await book.hold();
    const { id, spaceId } = first.state;
    await book.store.save(first, legal(first.declinePayment()));
    await book.database.query("UPDATE booking SET live = TRUE, status = 'PAID' WHERE id = $1", [
      id,
    ]);
    expect(await book.countLive(spaceId)).toBe(1);
  });

  test('a status that does not fit the hold is refused', async () => {
    const { id } = (await book.hold()).state;
    const raw = book.database.query('UPDATE booking SET live = FALSE WHERE id = $1', [id]);
    await expect(raw).rejects.toMatchObject({
      code: '23514',
      constraint: 'booking_live_by_status',
    });
  });

  test('a slot that ends before it starts is refused', async () => {
    const { id } = (await book.hold()).state;
    const raw = book.database.query(insertCopy(id, 'end_at', 'start_at', 'FALSE', "'EXPIRED'"));
    // PostgreSQL names the range before it comes to the check when the row is live.
    await expect(raw).rejects.toMatchObject({ code: '23514', constraint: 'booking_slot_order' });
  });

  test('a second event of one version is refused', async () => {
    const { id } = (await book.hold()).state;
    const raw = book.database.query(
      `INSERT INTO outbox
       SELECT (jsonb_populate_record(o, jsonb_build_object('id', $2::uuid))).*
         FROM outbox o WHERE aggregate_id = $1`,
      [id, randomUUID()],
    );
    await expect(raw).rejects.toMatchObject({ code: '23505' });
  });
});
