import { randomUUID } from 'node:crypto';
import { CHANGES } from './booking-changes.ts';
import { testCorruptions } from './corruption-tests.ts';

testCorruptions([
  { name: 'no violation in consistent data', corrupt: async () => {}, violates: [] },
  {
    name: 'an acknowledged booking that is missing',
    corrupt: ({ book, ids }) => book.query('DELETE FROM booking WHERE id = $1', [ids.registered]),
    violates: [
      'an acknowledged booking is stored as it was requested',
      'an active registration belongs to a REGISTERED booking',
      'a charged payment without the refund of a cancellation belongs to a REGISTERED booking',
      'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees, less goodwill',
      'every audit entry belongs to a change that happened',
      'every row and event belongs to an existing booking',
      "mypage's views equal the projection of the events",
    ],
  },
  {
    name: 'an acknowledged booking with another slot',
    corrupt: ({ book, ids }) =>
      book.query("UPDATE booking SET end_at = end_at + interval '1 h' WHERE id = $1", [
        ids.cancelled,
      ]),
    violates: [
      'an acknowledged booking has what was requested, or what a change of it may have brought',
      'an acknowledged booking is stored as it was requested',
      'every booking was requested',
      'the newest event of a booking has its slot, headcount and price',
      "space's occupied slots equal book's live bookings",
    ],
  },
  {
    name: 'a live booking without its hold',
    corrupt: ({ book, ids }) =>
      book.query('DELETE FROM slot_hold WHERE booking_id = $1', [ids.registered]),
    violates: ['a booking holds its slot exactly while it is live'],
  },
  {
    name: 'a hold that outlasts its booking',
    corrupt: ({ book, ids }) =>
      book.query(
        `INSERT INTO slot_hold (space_id, owner_id, booking_id, start_at, end_at, live)
         SELECT space_id, id, id, start_at, end_at, TRUE FROM booking WHERE id = $1`,
        [ids.cancelled],
      ),
    violates: ['a booking holds its slot exactly while it is live'],
  },
  {
    name: 'a hold of the slot before a change that outlasts the change',
    corrupt: ({ book }) =>
      book.query('UPDATE slot_hold SET live = TRUE WHERE change_id = $1', [CHANGES.dearer.id]),
    violates: ['a booking holds its slot exactly while it is live'],
  },
  {
    name: 'a second hold of the slot that a change has kept',
    corrupt: ({ book }) =>
      book.query(
        `INSERT INTO slot_hold (space_id, owner_id, booking_id, start_at, end_at, live)
         SELECT space_id, owner_id, booking_id, start_at, end_at, TRUE FROM slot_hold
          WHERE change_id = $1`,
        [CHANGES.cheaper.id],
      ),
    violates: ['a booking holds its slot exactly while it is live'],
  },
  {
    name: "a hold with another booking's change",
    corrupt: ({ book, ids }) =>
      book.query('UPDATE slot_hold SET change_id = $1 WHERE booking_id = $2', [
        ...[CHANGES.dearer.id, ids.registered],
      ]),
    violates: ['every row and event belongs to an existing booking'],
  },
  {
    name: 'a missing registration',
    corrupt: ({ space, ids }) =>
      space.query('DELETE FROM registration WHERE booking_id = $1', [ids.registered]),
    violates: ['a REGISTERED booking is paid in full and has an active registration'],
  },
  {
    name: 'a second registration of one booking',
    corrupt: ({ space, ids }) =>
      space.query(
        `INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
                version) SELECT $2, booking_id, payment_id, space_id, start_at, end_at, status,
                version FROM registration WHERE booking_id = $1`,
        [ids.registered, randomUUID()],
      ),
    violates: [
      'a booking has at most one payment and one registration',
      'no two active registrations of a space overlap',
      'the newest event of an aggregate has its current status',
    ],
  },
  {
    name: 'a registration that was not cancelled',
    corrupt: ({ space, ids }) =>
      space.query("UPDATE registration SET status = 'REGISTERED' WHERE booking_id = $1", [
        ids.cancelled,
      ]),
    violates: [
      'an active registration belongs to a REGISTERED booking',
      'the newest event of an aggregate has its current status',
    ],
  },
  {
    name: 'a slot that is sold twice',
    corrupt: ({ book, ids }) =>
      book.query(
        `INSERT INTO booking SELECT (jsonb_populate_record(booking,
                  jsonb_build_object('id', $2::uuid, 'idempotency_key', 'another'))).*
           FROM booking WHERE id = $1`,
        [ids.registered, randomUUID()],
      ),
    violates: [
      'a REGISTERED booking is paid in full and has an active registration',
      'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees, less goodwill',
      'every booking was requested',
      "mypage's views equal the projection of the events",
      'no two live bookings of a space overlap',
      'no two owners hold a space at the same time',
      "space's occupied slots equal book's live bookings",
      'the newest event of an aggregate has its current status',
    ],
  },
  {
    name: 'a cancelled booking that is REGISTERED again',
    corrupt: ({ book, ids }) =>
      book.query("UPDATE booking SET status = 'REGISTERED', live = TRUE WHERE id = $1", [
        ids.cancelled,
      ]),
    violates: [
      'a REGISTERED booking is paid in full and has an active registration',
      'an acknowledged cancellation ends as CANCELLED with the refund of the response',
      'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees, less goodwill',
      'every audit entry belongs to a change that happened',
      "mypage's views equal the projection of the events",
      'no refund exceeds its charges or, goodwill and changes apart, belongs to a live booking',
      "space's occupied slots equal book's live bookings",
      'the newest event of an aggregate has its current status',
    ],
  },
  {
    name: 'a payment method that is stored after the charge',
    corrupt: ({ book, ids }) =>
      book.query("UPDATE booking SET payment_method = 'pm_ok' WHERE id = $1", [ids.registered]),
    violates: ['a payment method is stored only while it may be charged'],
  },
  {
    name: 'a booking that was paid with another method than requested',
    corrupt: ({ book, ids }) =>
      book.query(
        `UPDATE booking SET payment_method_digest = booking_payment_method_digest(id, 'pm_other')
          WHERE id = $1`,
        [ids.registered],
      ),
    violates: ['every booking was requested'],
  },
  {
    name: 'a slot of a live booking that is free in space',
    corrupt: ({ space, ids }) =>
      space.query('UPDATE occupied_slot SET live = FALSE WHERE booking_id = $1', [ids.registered]),
    violates: ["space's occupied slots equal book's live bookings"],
  },
  {
    name: "a listed space that is missing in book's catalogue",
    corrupt: ({ book }) => book.query('DELETE FROM catalogue_space'),
    violates: ["book's catalogue equals the listed spaces"],
  },
  {
    name: 'an audit entry with the wrong user',
    corrupt: ({ book }) => book.query("UPDATE audit_entry SET user_id = 'lee'"),
    violates: ['every audit entry belongs to a change that happened'],
  },
]);
