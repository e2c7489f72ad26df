import { randomUUID } from 'node:crypto';
import { testCorruptions } from './corruption-tests.ts';

testCorruptions([
  {
    name: 'an event that is not acknowledged',
    corrupt: ({ payment }) =>
      payment.query("UPDATE outbox SET awaiting = '{mypage}' WHERE version = 3"),
    violates: ['every event is acknowledged'],
  },
  {
    name: 'an acknowledged event that is missing in the inbox of its consumer',
    corrupt: ({ space }) => space.query('DELETE FROM inbox'),
    violates: ['an acknowledged event is in the inbox of its consumer'],
  },
  {
    name: 'an acknowledged event of a change that is missing in the inbox of payment',
    corrupt: async ({ book, payment }) => {
      const released = await book.query(
        `SELECT id FROM outbox WHERE type = 'BookingChangeReleased'`,
      );
      await payment.query('DELETE FROM inbox WHERE event_id = $1', [released[0]?.id]);
    },
    violates: ['an acknowledged event is in the inbox of its consumer'],
  },
  {
    name: 'two events of one version',
    corrupt: ({ book, ids }) =>
      book.query(
        `INSERT INTO outbox SELECT (jsonb_populate_record(outbox,
                  jsonb_build_object('id', $2::uuid))).*
           FROM outbox WHERE aggregate_id = $1 AND version = 2`,
        [ids.registered, randomUUID()],
      ),
    violates: [
      'an acknowledged event is in the inbox of its consumer',
      "mypage's views equal the projection of the events",
      'no two events of an aggregate have the same version',
    ],
  },
  {
    name: 'a parked event',
    corrupt: ({ book }) =>
      book.query(
        `INSERT INTO dead_letter (event_id, state, event, failures, error)
         VALUES ($1, 'PARKED', '{}', 10, 'it was poisoned')`,
        [randomUUID()],
      ),
    violates: ['no event is parked'],
  },
  {
    name: 'a missing view',
    corrupt: ({ ids, inViews }) =>
      inViews((views) =>
        views.bookingStatusView.deleteMany({ where: { bookingId: ids.registered } }),
      ),
    violates: ["mypage's views equal the projection of the events"],
  },
  {
    name: 'a view without the last event',
    corrupt: ({ ids, inViews }) =>
      inViews((views) =>
        views.bookingStatusView.updateMany({
          where: { bookingId: ids.registered },
          data: { status: 'PAID' },
        }),
      ),
    violates: ["mypage's views equal the projection of the events"],
  },
  {
    name: 'a gap in a timeline',
    corrupt: ({ ids, inViews }) =>
      inViews((views) =>
        views.statusChange.deleteMany({ where: { bookingId: ids.registered, bookingVersion: 2 } }),
      ),
    violates: ["mypage's views equal the projection of the events"],
  },
]);
