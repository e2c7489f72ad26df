import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openViewDatabase } from '../../../subgraphs/mypage/src/adapters/view-database.ts';
import { createDatabase, migrate } from '../../support/database.ts';
import { type Contexts, makeHealthyWorld, type World } from './a-healthy-world.ts';
import { judge } from './verdict.ts';

let contexts: Contexts;
let folder: string;
let viewsUrl: string;
let world: World;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'verdict-'));
  viewsUrl = `file:${join(folder, 'mypage.sqlite')}`;
  await migrate(viewsUrl, 'prisma/mypage/migrations/sqlite');
  contexts = {
    book: await createDatabase('book'),
    payment: await createDatabase('payment'),
    space: await createDatabase('space'),
  };
  // What these keep out of a database must be found all the same.
  await contexts.book.query(`ALTER TABLE booking DROP CONSTRAINT booking_no_overlap,
    DROP CONSTRAINT booking_live_by_status, DROP CONSTRAINT booking_payment_method_erased`);
  await contexts.book.query('ALTER TABLE slot_hold DROP CONSTRAINT slot_hold_no_overlap');
  await contexts.book.query('DROP INDEX booking_customer_id_idempotency_key_key');
  await contexts.book.query('DROP INDEX outbox_aggregate_id_version_key');
  await contexts.space.query('ALTER TABLE registration DROP CONSTRAINT registration_no_overlap');
  await contexts.space.query('DROP INDEX registration_booking_id_key');
  await contexts.space.query('DROP INDEX registration_payment_id_key');
  await contexts.payment.query('DROP INDEX payment_booking_id_key');
  for (const { query } of [contexts.book, contexts.space]) {
    await query('DROP TRIGGER audit_entry_append_only ON audit_entry');
    await query('DROP TRIGGER audit_entry_erasure ON audit_entry');
  }
});

afterAll(async () => {
  for (const database of Object.values(contexts ?? {})) await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  world = await makeHealthyWorld(contexts, viewsUrl);
});

/** The names of the invariants that are broken, each once. */
async function broken(): Promise<string[]> {
  const { book, payment, space } = contexts;
  const databases = { book: book.url, payment: payment.url, space: space.url };
  const adminUrl = process.env.TEST_POSTGRES_URL as string;
  const found = await judge({ adminUrl, databases, viewsUrl }, world.records, new Date(0));
  return [...new Set(found.map(({ invariant }) => invariant))].sort();
}

test('a healthy world breaks nothing', async () => {
  expect(await broken()).toEqual([]);
});

/** Each corruption of a healthy world, and every invariant that it breaks, no other. */
const corruptions: [what: string, corrupt: (world: World) => Promise<unknown>, breaks: string[]][] =
  [
    [
      'an acknowledged booking that is gone',
      ({ ids }) => contexts.book.query('DELETE FROM booking WHERE id = $1', [ids.registered]),
      [
        'an acknowledged booking is present as it was promised',
        'charges minus refunds are the money of live bookings and what cancelling cost',
        'mypage shows what the events say',
        'nothing belongs to a booking that does not exist',
        'the audit log tells only of what happened',
        'what is approved and not given back is confirmed',
        'what is registered belongs to a confirmed booking',
      ],
    ],
    [
      'an acknowledged booking for another time',
      ({ ids }) =>
        contexts.book.query("UPDATE booking SET end_at = end_at + interval '1 h' WHERE id = $1", [
          ids.cancelled,
        ]),
      [
        'a booking was asked for',
        'an acknowledged booking is present as it was promised',
        'space knows which slots are occupied',
      ],
    ],
    [
      'a live booking without its hold',
      ({ ids }) =>
        contexts.book.query('DELETE FROM slot_hold WHERE booking_id = $1', [ids.registered]),
      ['a booking holds its slot exactly while it is live'],
    ],
    [
      'a hold that outlasts its booking',
      ({ ids }) =>
        contexts.book.query(
          `INSERT INTO slot_hold (space_id, owner_id, booking_id, start_at, end_at, live)
           SELECT space_id, id, id, start_at, end_at, TRUE FROM booking WHERE id = $1`,
          [ids.cancelled],
        ),
      ['a booking holds its slot exactly while it is live'],
    ],
    [
      'a registration that is gone',
      ({ ids }) =>
        contexts.space.query('DELETE FROM registration WHERE booking_id = $1', [ids.registered]),
      ['a confirmed booking is paid and registered'],
    ],
    [
      'a second registration of the same time',
      ({ ids }) =>
        contexts.space.query(
          `INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
                  version) SELECT $2, booking_id, payment_id, space_id, start_at, end_at, status,
                  version FROM registration WHERE booking_id = $1`,
          [ids.registered, randomUUID()],
        ),
      [
        'a booking has one payment and one registration',
        'no two registered uses of a space overlap',
        'the newest event tells the present status',
      ],
    ],
    [
      'a registration that was not cancelled',
      ({ ids }) =>
        contexts.space.query(
          "UPDATE registration SET status = 'REGISTERED' WHERE booking_id = $1",
          [ids.cancelled],
        ),
      [
        'the newest event tells the present status',
        'what is registered belongs to a confirmed booking',
      ],
    ],
    [
      'a slot sold twice',
      ({ ids }) =>
        contexts.book.query(
          `INSERT INTO booking SELECT (jsonb_populate_record(booking,
                    jsonb_build_object('id', $2::uuid, 'idempotency_key', 'another'))).*
             FROM booking WHERE id = $1`,
          [ids.registered, randomUUID()],
        ),
      [
        'a booking was asked for',
        'a confirmed booking is paid and registered',
        'charges minus refunds are the money of live bookings and what cancelling cost',
        'mypage shows what the events say',
        'no two live bookings of a space overlap',
        'no two owners hold a space at the same time',
        'space knows which slots are occupied',
        'the newest event tells the present status',
      ],
    ],
    [
      'a cancellation that was forgotten',
      ({ ids }) =>
        contexts.book.query("UPDATE booking SET status = 'REGISTERED', live = TRUE WHERE id = $1", [
          ids.cancelled,
        ]),
      [
        'a confirmed booking is paid and registered',
        'an acknowledged cancellation ends cancelled, with the promised refund',
        'charges minus refunds are the money of live bookings and what cancelling cost',
        'mypage shows what the events say',
        'nothing is given back of what stands or was never charged',
        'space knows which slots are occupied',
        'the audit log tells only of what happened',
        'the newest event tells the present status',
      ],
    ],
    [
      'a refund of another amount than was promised',
      async ({ ids }) => {
        await contexts.payment.query(
          'UPDATE sandbox_refund SET amount = 9999 WHERE charge_key = $1',
          [ids.cancelled],
        );
      },
      [
        'charges minus refunds are the money of live bookings and what cancelling cost',
        'payments agree with the books of the provider',
        'what was charged and released is given back once, as quoted',
      ],
    ],
    [
      'money given back for a booking that stands',
      ({ ids }) =>
        contexts.payment.query('INSERT INTO sandbox_refund VALUES ($1, 10000)', [ids.registered]),
      [
        'charges minus refunds are the money of live bookings and what cancelling cost',
        'nothing is given back of what stands or was never charged',
        'payments agree with the books of the provider',
      ],
    ],
    [
      'a charge for what has expired',
      ({ ids }) =>
        contexts.payment.query("INSERT INTO sandbox_charge VALUES ($1, 'APPROVED', 10000, 'KRW')", [
          ids.expired,
        ]),
      [
        'charges minus refunds are the money of live bookings and what cancelling cost',
        'payments agree with the books of the provider',
        'what was charged and released is given back once, as quoted',
      ],
    ],
    [
      'a refund by the provider that was settled outside as well',
      () => contexts.payment.query('UPDATE refund SET settled_outside = TRUE'),
      [
        'charges minus refunds are the money of live bookings and what cancelling cost',
        'payments agree with the books of the provider',
        'what was charged and released is given back once, as quoted',
      ],
    ],
    [
      'a refund that the provider never made',
      () => contexts.payment.query('DELETE FROM sandbox_refund'),
      [
        'charges minus refunds are the money of live bookings and what cancelling cost',
        'payments agree with the books of the provider',
        'what was charged and released is given back once, as quoted',
      ],
    ],
    [
      'a refund that is still owed',
      () => contexts.payment.query('UPDATE refund SET settled_at = NULL'),
      ['nothing is unfinished'],
    ],
    [
      'a payment that is still under way',
      ({ ids }) =>
        contexts.payment.query("UPDATE payment SET status = 'PENDING' WHERE booking_id = $1", [
          ids.declined,
        ]),
      ['nothing is unfinished', 'the newest event tells the present status'],
    ],
    [
      'an event that somebody still awaits',
      () => contexts.payment.query("UPDATE outbox SET awaiting = '{mypage}' WHERE version = 3"),
      ['every event is acknowledged'],
    ],
    [
      'an acknowledged event that its consumer does not hold',
      () => contexts.space.query('DELETE FROM inbox'),
      ['what is acknowledged is held by its consumer'],
    ],
    [
      'two events of one version',
      ({ ids }) =>
        contexts.book.query(
          `INSERT INTO outbox SELECT (jsonb_populate_record(outbox,
                    jsonb_build_object('id', $2::uuid))).*
             FROM outbox WHERE aggregate_id = $1 AND version = 2`,
          [ids.registered, randomUUID()],
        ),
      [
        'mypage shows what the events say',
        'one event tells of each version',
        'what is acknowledged is held by its consumer',
      ],
    ],
    [
      'a payment method that is kept',
      ({ ids }) =>
        contexts.book.query("UPDATE booking SET payment_method = 'pm_ok' WHERE id = $1", [
          ids.registered,
        ]),
      ['a payment method is kept only while it may be charged'],
    ],
    [
      'a booking that is paid by another method than was asked for',
      ({ ids }) =>
        contexts.book.query(
          `UPDATE booking SET payment_method_digest = booking_payment_method_digest(id, 'pm_other')
            WHERE id = $1`,
          [ids.registered],
        ),
      ['a booking was asked for'],
    ],
    [
      'a slot that space believes to be free',
      ({ ids }) =>
        contexts.space.query('UPDATE occupied_slot SET live = FALSE WHERE booking_id = $1', [
          ids.registered,
        ]),
      ['space knows which slots are occupied'],
    ],
    [
      'a space that book has never heard of',
      () => contexts.book.query('DELETE FROM catalogue_space'),
      ['book knows every space as it is'],
    ],
    [
      'an acknowledged space that is gone',
      () => contexts.space.query('DELETE FROM space'),
      ['an acknowledged space is listed', 'the audit log tells only of what happened'],
    ],
    [
      'an event that was given up',
      async () => {
        await contexts.book.query(
          `INSERT INTO dead_letter (event_id, state, event, failures, error)
           VALUES ($1, 'PARKED', '{}', 10, 'it was poisoned')`,
          [randomUUID()],
        );
      },
      ['no event is parked'],
    ],
    [
      'a view that is gone',
      ({ ids }) =>
        inViews((views) =>
          views.bookingStatusView.deleteMany({ where: { bookingId: ids.registered } }),
        ),
      ['mypage shows what the events say'],
    ],
    [
      'a view that has not taken in the last event',
      ({ ids }) =>
        inViews((views) =>
          views.bookingStatusView.updateMany({
            where: { bookingId: ids.registered },
            data: { status: 'PAID' },
          }),
        ),
      ['mypage shows what the events say'],
    ],
    [
      'a hole in a timeline',
      ({ ids }) =>
        inViews((views) =>
          views.statusChange.deleteMany({
            where: { bookingId: ids.registered, bookingVersion: 2 },
          }),
        ),
      ['mypage shows what the events say'],
    ],
    [
      'a promised booking that was cancelled by nobody',
      async ({ records }) => records.cancels.splice(0),
      ['an acknowledged booking stands unless its customer cancelled it'],
    ],
    [
      'a customer who is told that the booking does not exist',
      async ({ ids, records }) =>
        records.cancels.push({
          customer: 'kim',
          bookingId: ids.cancelled,
          outcome: { kind: 'refused', type: 'BookingNotFound', status: null },
        }),
      ['who owns a booking is not told that there is none'],
    ],
    [
      'a customer who is told that a booking is over which stands',
      async ({ ids, records }) =>
        records.cancels.push({
          customer: 'kim',
          bookingId: ids.registered,
          outcome: { kind: 'refused', type: 'BookingNotCancellable', status: 'EXPIRED' },
        }),
      ['what cannot be cancelled is over'],
    ],
    [
      'another booking for the same key',
      async ({ ids, records, bodyOf }) =>
        records.requests.push({
          customer: 'kim',
          key: 'registered',
          body: bodyOf('expired'),
          outcome: { kind: 'ok', bookingId: ids.expired, status: 'EXPIRED', price: 10_000 },
        }),
      ['an acknowledged booking is present as it was promised', 'one key makes one booking'],
    ],
    [
      'a slot that was promised to two',
      async ({ records, bodyOf }) =>
        records.requests.push({
          customer: 'lee',
          key: 'mine',
          body: bodyOf('registered'),
          outcome: { kind: 'ok', bookingId: randomUUID(), status: 'PAID', price: 10_000 },
        }),
      [
        'a slot is promised to one customer',
        'an acknowledged booking is present as it was promised',
      ],
    ],
    [
      'a booking that nobody asked for',
      async ({ records }) => records.requests.splice(0, 1),
      ['a booking was asked for'],
    ],
    [
      'a refused request that made a booking',
      async ({ ids, records }) => {
        const [first] = records.requests.splice(0, 1);
        expect(first?.outcome).toMatchObject({ bookingId: ids.registered });
        if (!first) return;
        const outcome = { kind: 'refused', type: 'SlotUnavailable', bookingId: null } as const;
        records.requests.push({ ...first, outcome });
      },
      ['a refused request leaves nothing behind'],
    ],
    [
      'a decline of what is not declined',
      async ({ ids, records, bodyOf }) => {
        records.requests.push({
          customer: 'kim',
          key: 'expired',
          body: bodyOf('expired'),
          outcome: { kind: 'refused', type: 'PaymentDeclined', bookingId: ids.expired },
        });
      },
      ['a declined booking is declined'],
    ],
    ...(['requestBooking', 'cancelBooking', 'listSpace'] as const).flatMap(
      (action): typeof corruptions => {
        const context = action === 'listSpace' ? 'space' : 'book';
        const run = (sql: string) => contexts[context].query(sql, [action]);
        const twice = `INSERT INTO audit_entry SELECT (jsonb_populate_record(audit_entry,
            jsonb_build_object('id', gen_random_uuid()))).* FROM audit_entry WHERE action = $1`;
        return [
          [
            `a ${action} that the audit log does not tell of`,
            () => run('DELETE FROM audit_entry WHERE action = $1'),
            ['what was acknowledged is in the audit log, once'],
          ],
          [
            `a ${action} that the audit log tells of twice`,
            () => run(twice),
            ['what was acknowledged is in the audit log, once'],
          ],
        ];
      },
    ),
    [
      'a request that the audit log ascribes to another',
      () => contexts.book.query("UPDATE audit_entry SET user_id = 'lee'"),
      ['the audit log tells only of what happened'],
    ],
    [
      'a view that falls back',
      async ({ ids, records }) => {
        records.seeView(ids.registered, 4, 'REGISTERED');
        records.seeView(ids.registered, 3, 'REGISTERED');
      },
      ['a client is never surprised'],
    ],
    [
      'a booking that mypage showed as paid, and that has expired',
      async ({ ids, records }) => records.seeView(ids.expired, 2, 'PAID'),
      ['an acknowledged booking stands unless its customer cancelled it'],
    ],
  ];

test('a refund that was settled outside of the provider is as good as one by it', async () => {
  await contexts.payment.query('DELETE FROM sandbox_refund');
  await contexts.payment.query('UPDATE refund SET settled_outside = TRUE');
  expect(await broken()).toEqual([]);
});

test.each(corruptions)('finds %s', async (_what, corrupt, breaks) => {
  await corrupt(world);
  expect(await broken()).toEqual([...breaks].sort());
});

async function inViews(
  change: (views: Awaited<ReturnType<typeof openViewDatabase>>) => Promise<unknown>,
): Promise<void> {
  const views = await openViewDatabase(viewsUrl);
  await change(views);
  await views.$disconnect();
}
